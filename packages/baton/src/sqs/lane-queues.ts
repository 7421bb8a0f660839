import { type Laned, lanesByQueue, laneOfQueue, queuesOfLanes } from '../task/lane.ts';

// The one reader that derives queues and event sources of lanes from contracts and CloudFormation: for a deploy, and for
// all that stands in AWS's place on a laptop and in containers. Nothing that runs tasks uses it.

const QUEUE = 'AWS::SQS::Queue';

/** CloudFormation's resources by their logical ids, of whatever types. */
export type LaneResources = Readonly<Record<string, unknown>>;

interface QueueResource {
  readonly Type: string;
  readonly Properties: { readonly QueueName: string };
}

/**
 * The queues of lanes, by their logical ids: `OrdersQueueHighLane` is like `OrdersQueue` in all but its name, so it has
 * the same dead letter queue. A queue that is described by hand under such an id is left out.
 *
 * @param stagePrefix - what stands before the contracts' queue names, such as `baton-dev-`
 * @throws TypeError naming two contracts on one queue that declare different lanes
 */
export function laneQueues<Resource>(
  resources: Readonly<Record<string, Resource>>,
  contracts: readonly Laned[],
  stagePrefix: string,
): Record<string, Resource> {
  const derived = [...lanesByQueue(contracts)].flatMap(([queue, lanes]) =>
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

/** The logical ids of the queues of a queue's lanes, its own left out. */
export function laneIdsOf(id: string, resources: LaneResources): string[] {
  const name = nameOfQueue(resources[id]);
  if (name === undefined) return [];
  return Object.keys(resources).filter((other) => nameOfQueue(resources[other])?.startsWith(`${name}_`));
}

/**
 * A function's events, with an `sqs` event for each lane of a queue that it consumes: with the same settings, its own
 * maximumConcurrency among them, so that no lane waits behind another. A lane that has an event by hand keeps that one.
 */
export function withLaneEvents<Event>(events: readonly Event[], resources: LaneResources): Event[] {
  const consumed = new Set(events.flatMap((event) => queueIdOf(event) ?? []));
  return events.flatMap((event) => {
    const id = queueIdOf(event);
    if (id === undefined) return [event];
    const lanes = laneIdsOf(id, resources).filter((lane) => !consumed.has(lane));
    return [event, ...lanes.map((lane) => ofQueue(event, lane))];
  });
}

/** The name of a queue; undefined of any other resource, and where CloudFormation makes the name up. */
function nameOfQueue(resource: unknown): string | undefined {
  const { Type, Properties } = (resource ?? {}) as Partial<QueueResource>;
  const name: unknown = Type === QUEUE ? Properties?.QueueName : undefined;
  return typeof name === 'string' ? name : undefined;
}

function renamed<Resource>(resource: Resource, QueueName: string): Resource {
  const { Properties } = resource as QueueResource;
  return { ...resource, Properties: { ...Properties, QueueName } };
}

/** The lane `very-high` of OrdersQueue gives OrdersQueueVeryHighLane. */
function idOfLane(id: string, lane: string): string {
  const words = lane.split('-').map((word) => word.slice(0, 1).toUpperCase() + word.slice(1));
  return `${id}${words.join('')}Lane`;
}

/** The logical id of the queue of an `sqs` event; undefined of all others, and where it is not `!GetAtt Queue.Arn`. */
function queueIdOf(event: unknown): string | undefined {
  const { sqs } = event as { readonly sqs?: { readonly arn?: { readonly 'Fn::GetAtt'?: unknown } } };
  const target = sqs?.arn?.['Fn::GetAtt'];
  const [id, attribute] =
    typeof target === 'string' ? target.split('.') : Array.isArray(target) ? target : [];
  return attribute === 'Arn' && typeof id === 'string' ? id : undefined;
}

function ofQueue<Event>(event: Event, id: string): Event {
  const { sqs } = event as { readonly sqs: object };
  return { ...event, sqs: { ...sqs, arn: { 'Fn::GetAtt': [id, 'Arn'] } } };
}
