// The queues and events of lanes.
import type { TaskContract } from 'baton-tasks';
import { laneOfQueue, lanesByQueue, queuesOfLanes } from 'baton-tasks/tooling';
import type { FunctionEvent } from './part.ts';
import { arnOf, idOfArn, QUEUE, type Resource, type Resources } from './resources.ts';
import { StackError } from './stack-error.ts';

/** The members of a contract that declare its lanes. */
type Laned = Pick<TaskContract, 'name' | 'queue' | 'lanes' | 'defaultLane'>;

/**
 * Makes the queues of lanes, by their logical ids. `PaymentsQueueHighLane` differs from `PaymentsQueue` only in its name, so
 * it has the same dead-letter queue. Leaves out a queue that a functions.yml describes itself.
 *
 * @param stagePrefix - the prefix of the contracts' queue names, such as `baton-dev-`
 * @throws StackError naming two contracts on one queue that declare different lanes
 */
export function laneQueues(
  resources: Resources,
  contracts: readonly Laned[],
  stagePrefix: string,
): Resources {
  const derived = [...lanesOf(contracts)].flatMap(([queue, lanes]) =>
    [...queuesOfLanes(queue, lanes).keys()].flatMap((name) => {
      const lane = laneOfQueue(name);
      if (lane === undefined) return [];
      return Object.entries(resources)
        .filter(([, resource]) => nameOfQueue(resource) === stagePrefix + queue)
        .map(([id, resource]) => [idOfLane(id, lane), renamed(resource, stagePrefix + name)] as const);
    }),
  );
  return Object.fromEntries(derived.filter(([id]) => !(id in resources)));
}

/** The logical ids of the queues of a queue's lanes, without its own. */
export function laneIdsOf(id: string, resources: Resources): string[] {
  const name = nameOfQueue(resources[id]);
  if (name === undefined) return [];
  return Object.keys(resources).filter((other) => nameOfQueue(resources[other])?.startsWith(`${name}_`));
}

/**
 * Adds an `sqs` event for each lane of the queues that a function consumes. Each has the same settings, and its own
 * `maximumConcurrency`, so that no lane waits for another. A lane that has an event already keeps it.
 */
export function withLaneEvents(events: readonly FunctionEvent[], resources: Resources): FunctionEvent[] {
  const consumed = new Set(events.flatMap(({ sqs }) => idOfArn(sqs?.arn) ?? []));
  return events.flatMap((event) => {
    const { sqs } = event;
    const id = idOfArn(sqs?.arn);
    if (id === undefined) return [event];
    const lanes = laneIdsOf(id, resources).filter((lane) => !consumed.has(lane));
    const onLane = (lane: string): FunctionEvent => ({ ...event, sqs: { ...sqs, arn: arnOf(lane) } });
    return [event, ...lanes.map(onLane)];
  });
}

function lanesOf(contracts: readonly Laned[]) {
  try {
    return lanesByQueue(contracts);
  } catch (error) {
    throw new StackError((error as Error).message);
  }
}

/** The name of a queue. Undefined for any other resource, and if CloudFormation generates the name. */
function nameOfQueue(resource: Resource | undefined): string | undefined {
  const name = resource?.Type === QUEUE ? resource.Properties['QueueName'] : undefined;
  return typeof name === 'string' ? name : undefined;
}

function renamed(resource: Resource, QueueName: string): Resource {
  return { ...resource, Properties: { ...resource.Properties, QueueName } };
}

/** The logical id of a lane's queue: PaymentsQueueVeryHighLane for the lane `very-high` of PaymentsQueue. */
function idOfLane(id: string, lane: string): string {
  const words = lane.split('-').map((word) => word.slice(0, 1).toUpperCase() + word.slice(1));
  return `${id}${words.join('')}Lane`;
}
