// Queues and their dead-letter queues.
import type { TaskContract } from 'baton-tasks';
import { DEFAULT_TIMEOUT_SECONDS } from '../stack/serverless.ts';
import { idOfArn } from '../stack/resources.ts';
import { type Queue, queuesOf, type SourceQueue } from '../stack/queues.ts';
import type { Breach, Rule } from './rule.ts';
import { type OwnFunction, STAGE_PREFIX, type Tree } from './tree.ts';

/** Tasks that fail are dead-lettered by their retry policy, with a reason. SQS, which gives none, comes long after that. */
const LEAST_RECEIVES = 30;
/** AWS Lambda Developer Guide, "Creating and configuring an Amazon SQS event source mapping". */
const TIMEOUTS_HIDDEN = 6;
/** How long SQS hides a message, and how long it keeps one, if the queue does not say so. */
const DEFAULT_HIDDEN_SECONDS = 30;
const DEFAULT_KEPT_SECONDS = 345_600;
const MAX_KEPT_SECONDS = 1_209_600;
const KEPT_SECONDS = 604_800;

/** A function's event source: one queue that it consumes. */
export interface Consumed {
  readonly consumer: OwnFunction;
  readonly sqs: Readonly<Record<string, unknown>>;
  readonly queue: Queue;
}

/** The queues that functions consume, lanes included. */
export function consumedQueues({ functions, stack }: Tree): Consumed[] {
  const queues = queuesOf(stack.resources);
  return functions.flatMap((consumer) =>
    (consumer.events ?? []).flatMap(({ sqs }) => {
      const queue = queues.find(({ id }) => id === idOfArn(sqs?.arn));
      return sqs && queue ? [{ consumer, sqs, queue }] : [];
    }),
  );
}

/** Nothing is lost without a dead letter. */
export const queuesHaveDeadLetters: Rule = {
  name: 'every queue has a dead-letter queue of its name, which SQS itself uses as the last resort',
  breaches: (tree) => {
    const queues = queuesOf(tree.stack.resources);
    const targets = new Set(queues.flatMap(({ deadLetters }) => deadLetters?.id ?? []));
    return queues
      .filter(({ id }) => !targets.has(id) && tree.ownerOf(id) !== undefined)
      .flatMap((queue) => deadLettersOf(queue, tree));
  },
};

function deadLettersOf(queue: Queue, tree: Tree): Breach[] {
  const { id, name, deadLetters } = queue;
  const least = leastReceives(tree.contracts.filter(({ queue: own }) => STAGE_PREFIX + own === name));
  const place = tree.placeOfResource(id, 'Properties', 'RedrivePolicy');
  const policy = (target: string): string => policyText(target, least);
  if (!deadLetters && name.endsWith('-dlq')) {
    const found = `no queue has the dead-letter queue ${id}`;
    return [{ at: place, found, expected: `Write ${policy(id)} in the queue that it is for` }];
  }
  if (!deadLetters) {
    const there = queuesOf(tree.stack.resources).find((other) => other.name === `${name}-dlq`);
    const target = there?.id ?? deadLettersIdOf(id);
    const described = there ? '' : `, and under resources: Resources: ${deadLettersText(target, name)}`;
    const found = `the queue ${id} has no dead-letter queue`;
    return [{ at: place, found, expected: `Write ${policy(target)}${described}` }];
  }
  const misnamed = deadLetters.name !== `${name}-dlq` && {
    at: tree.placeOfResource(deadLetters.id, 'Properties', 'QueueName'),
    found: `the dead-letter queue ${deadLetters.id} of ${id} is called ${withStage(deadLetters.name)}`,
    expected: `Write QueueName: ${withStage(name)}-dlq`,
  };
  const early = deadLetters.maxReceiveCount < least && {
    at: place,
    found: `SQS gives up a message of ${id} after ${deadLetters.maxReceiveCount} receives, before its task's retry policy does, and gives no reason`,
    expected: `Write ${policy(deadLetters.id)}`,
  };
  return [misnamed, early].filter((breach) => breach !== false);
}

/** There is time to look at a dead letter. */
export const deadLettersAreKept: Rule = {
  name: 'a dead-letter queue keeps its messages longer than the queue that they come from',
  breaches: (tree) => {
    const queues = queuesOf(tree.stack.resources);
    const sources = queues.filter((queue): queue is SourceQueue => queue.deadLetters !== undefined);
    return sources.flatMap(({ id, properties, deadLetters }) => {
      const kept = keptSeconds(properties);
      const own = keptSeconds(queues.find((each) => each.id === deadLetters.id)?.properties ?? {});
      if (own > kept) return [];
      return [
        {
          at: tree.placeOfResource(deadLetters.id, 'Properties', 'MessageRetentionPeriod'),
          found: `the dead-letter queue ${deadLetters.id} keeps messages for ${own} s, and ${id} for ${kept} s`,
          expected: `Write MessageRetentionPeriod: ${MAX_KEPT_SECONDS} (14 days), and a shorter one in ${id}: ${KEPT_SECONDS} (7 days)`,
        },
      ];
    });
  },
};

/** No message is received again while it may still be in work. */
export const leasesAreLongEnough: Rule = {
  name: 'a queue hides a message six times as long as its consumer may take, as AWS advises',
  breaches: (tree) =>
    consumedQueues(tree)
      .filter(({ queue }) => tree.ownerOf(queue.id) !== undefined)
      .flatMap(({ consumer, sqs, queue: { id, properties } }) => {
        const { name, timeout = DEFAULT_TIMEOUT_SECONDS } = consumer;
        const window = Number(sqs['maximumBatchingWindow'] ?? 0);
        const least = TIMEOUTS_HIDDEN * timeout + window;
        const hidden = Number(properties['VisibilityTimeout'] ?? DEFAULT_HIDDEN_SECONDS);
        if (hidden >= least) return [];
        const sum = `${TIMEOUTS_HIDDEN} x ${timeout} s, the timeout of ${name}${window > 0 ? `, and ${window} s for its maximumBatchingWindow` : ''}`;
        return [
          {
            at: tree.placeOfResource(id, 'Properties', 'VisibilityTimeout'),
            found: `the queue ${id} hides a message for ${hidden} s, and its consumer ${name} may take ${timeout} s`,
            expected: `Write VisibilityTimeout: ${least} (${sum})`,
          },
        ];
      }),
};

/** Messages are encrypted at rest. */
export const queuesAreEncrypted: Rule = {
  name: 'every queue is encrypted',
  breaches: (tree) =>
    queuesOf(tree.stack.resources)
      .filter(
        ({ id, properties }) => tree.ownerOf(id) && String(properties['SqsManagedSseEnabled']) !== 'true',
      )
      .map(({ id }) => ({
        at: tree.placeOfResource(id, 'Properties', 'SqsManagedSseEnabled'),
        found: `the queue ${id} is not encrypted`,
        expected: 'Write SqsManagedSseEnabled: true',
      })),
};

/** Properties that only AWS reads. */
const OF_AWS: ReadonlySet<string> = new Set(['RedriveAllowPolicy', 'Tags']);

/** A queue is the same on a laptop, in containers and on AWS. */
export const queuesArePlain: Rule = {
  name: 'the properties of queues are plain values, which a laptop and containers understand too',
  breaches: (tree) =>
    queuesOf(tree.stack.resources)
      .filter(({ id }) => tree.ownerOf(id) !== undefined)
      .flatMap(({ id, properties }) =>
        Object.entries(properties)
          .filter(([name, value]) => typeof value === 'object' && !OF_AWS.has(name))
          .map(([name, value]) => ({
            at: tree.placeOfResource(id, 'Properties', name),
            found: `${name} of the queue ${id} is ${JSON.stringify(value)}`,
            expected: 'Write a text, a number, true or false',
          })),
      ),
};

/** The id that a queue's dead-letter queue usually has. */
function deadLettersIdOf(id: string): string {
  return `${id.replace(/Queue$/, '')}DeadLetters`;
}

/** A dead-letter queue as a line of a functions.yml. @param name - of the queue that it is for */
function deadLettersText(id: string, name: string): string {
  return `${id}: { Type: AWS::SQS::Queue, Properties: { QueueName: '${withStage(name)}-dlq', MessageRetentionPeriod: ${MAX_KEPT_SECONDS}, SqsManagedSseEnabled: true } }`;
}

/**
 * A queue and its dead-letter queue, each as a line of a functions.yml.
 *
 * @param name - with the stage
 * @param contracts - those on the queue
 * @param timeoutSeconds - of its consumer
 */
export function queueText(name: string, contracts: readonly TaskContract[], timeoutSeconds: number): string {
  const words = name.slice(STAGE_PREFIX.length).split(/[^A-Za-z0-9]+/);
  const id = `${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}Queue`;
  const target = deadLettersIdOf(id);
  const policy = policyText(target, leastReceives(contracts));
  return `${id}: { Type: AWS::SQS::Queue, Properties: { QueueName: '${withStage(name)}', VisibilityTimeout: ${TIMEOUTS_HIDDEN * timeoutSeconds}, MessageRetentionPeriod: ${KEPT_SECONDS}, SqsManagedSseEnabled: true, ${policy} } } and ${deadLettersText(target, name)}`;
}

function policyText(target: string, receives: number): string {
  return `RedrivePolicy: { deadLetterTargetArn: !GetAtt ${target}.Arn, maxReceiveCount: ${receives} }`;
}

/** The least `maxReceiveCount`: more receives than any retry policy has attempts. */
function leastReceives(contracts: readonly TaskContract[]): number {
  return Math.max(LEAST_RECEIVES, ...contracts.map(({ retry }) => retry.maxAttempts + 1));
}

function keptSeconds(properties: Queue['properties']): number {
  return Number(properties['MessageRetentionPeriod'] ?? DEFAULT_KEPT_SECONDS);
}

/** A name as a functions.yml has it, for every stage: `baton-${sls:stage}-payments`. */
export function withStage(name: string): string {
  return name.replace(STAGE_PREFIX, 'baton-${sls:stage}-');
}
