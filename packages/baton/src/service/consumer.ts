// A service's consumer: its implementations as the handler of a Lambda function.
import { hostname } from 'node:os';
import { createLambdaConsumer, type LambdaConsumer } from '../lambda/lambda-consumer.ts';
import { type Implementation, Implementations } from '../task/implementation.ts';
import { StoreTracker } from '../tracked/store-tracker.ts';
import type { Service } from './service.ts';

const DEFAULT_CLAIM_SECONDS = 30;

/** Configures a consumer. */
export interface ConsumerOptions {
  /** How many records of a batch run at the same time. Default 10. */
  readonly concurrency?: number;
}

/** Configures a consumer of tracked tasks. */
export interface TrackedConsumerOptions extends ConsumerOptions {
  /** How long a claim on a tracked task lasts after its function crashed, in seconds. Default 30. */
  readonly claimSeconds?: number;
}

/**
 * Makes the handler of a function that consumes queues. `functions.yml` names the function and its queues. Tracked tasks
 * need `createTrackedConsumer`. It is another function because it makes the bundle larger.
 *
 * @throws TypeError if two implementations share a name, or one is tracked
 */
export function createConsumer(
  service: Service,
  implementations: readonly Implementation[],
  options: ConsumerOptions = {},
): LambdaConsumer {
  const known = new Implementations(implementations);
  const [tracked] = known.tracked;
  if (tracked !== undefined)
    throw new TypeError(
      `${tracked} is a tracked task: expected its consumer to be made with createTrackedConsumer`,
    );
  return createLambdaConsumer({ ...partsOf(service), ...options, implementations: known });
}

/**
 * Makes the handler of a function that consumes queues with tracked tasks.
 *
 * @throws TypeError if two implementations share a name, or the service does not track
 */
export function createTrackedConsumer(
  service: Service,
  implementations: readonly Implementation[],
  { claimSeconds = DEFAULT_CLAIM_SECONDS, ...options }: TrackedConsumerOptions = {},
): LambdaConsumer {
  const { name, logger, tasks, taskStore: store } = service;
  const known = new Implementations(implementations);
  const contracts = [...known.contracts, ...service.contracts];
  if (!store)
    throw new TypeError(
      `${name} runs tracked tasks: expected the option "tracks: true" of its createService, and TASKS_TABLE`,
    );
  const { forward } = tasks;
  return createLambdaConsumer({
    ...partsOf(service),
    ...options,
    tracker: new StoreTracker({ store, forward, contracts, leaseSeconds: claimSeconds, logger }),
    implementations: known,
  });
}

function partsOf({ name, version, tasks, ...service }: Service) {
  const { logger, sqs, queueUrls, signatures, unknownTaskPatienceSeconds } = service;
  const worker = { id: `${name}@${hostname()}`, version };
  return { sqs, queueUrls, signatures, send: tasks.send, logger, worker, unknownTaskPatienceSeconds };
}
