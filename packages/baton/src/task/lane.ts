// Lanes: the priorities of a queue's tasks. Each lane except the default one is a queue.
import * as z from 'zod';
import { InvalidValueError, shownValue } from './invalid-value.ts';

/** Separates the names of queue and lane. A contract's queue has no such character in its name. */
const SEPARATOR = '_';
/** The longest name of a lane's queue: as long as the longest name of a dead-letter queue, so both fit everywhere. */
const MAX_NAME_CHARACTERS = 64;
const LANE_NAME = /^(?=.{1,20}$)[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/;
const MIN_LANES = 2;
/** Limited because each lane is a queue that every worker polls. */
const MAX_LANES = 8;
const MAX_WEIGHT = 100;

/** The weights of a queue's lanes, by their names. */
export type LaneWeights<Lane extends string = string> = Readonly<Record<Lane, number>>;

/** The lanes of a queue, as its contracts declare them. */
export interface Lanes {
  readonly weights: LaneWeights;
  /** The lane whose messages are in the queue itself. */
  readonly defaultLane: string;
}

/** The members of a contract that say where its messages go. */
export interface Laned {
  readonly name: string;
  readonly queue: string;
  readonly lanes?: LaneWeights | undefined;
  readonly defaultLane?: string | undefined;
}

/** Lanes with their weights. Does not use `z.record`, which would add 3 kB to a function's bundle. */
export const laneWeightsSchema = z
  .object({})
  .catchall(z.int(`expected a whole weight from 1 to ${MAX_WEIGHT}`).min(1).max(MAX_WEIGHT))
  .refine((lanes) => Object.keys(lanes).length >= MIN_LANES && Object.keys(lanes).length <= MAX_LANES, {
    error: `expected ${MIN_LANES} to ${MAX_LANES} lanes`,
  });

/** The faults of a contract's lanes that the schemas of single members cannot find. */
export function laneIssues({
  queue,
  lanes,
  defaultLane,
}: Omit<Laned, 'name'>): { path: string; message: string }[] {
  const names = Object.keys(lanes ?? {});
  const issues: { path: string; message: string }[] = [];
  if (lanes && !(defaultLane !== undefined && Object.hasOwn(lanes, defaultLane)))
    issues.push({ path: 'defaultLane', message: `expected one of the lanes ${names.join(', ')}` });
  if (!lanes && defaultLane !== undefined)
    issues.push({ path: 'defaultLane', message: 'expected lanes beside it' });
  const wrong = names.find((name) => !LANE_NAME.test(name));
  if (wrong !== undefined)
    issues.push({
      path: 'lanes',
      message: `expected names of 1 to 20 lower-case letters and digits, each word between hyphens starting with a letter, got ${JSON.stringify(wrong)}`,
    });
  const long = names.find((name) => laneQueueName(queue, name).length > MAX_NAME_CHARACTERS);
  if (long !== undefined)
    issues.push({
      path: 'lanes',
      message: `expected at most ${MAX_NAME_CHARACTERS} characters of queue and lane together, as in ${laneQueueName(queue, long)}`,
    });
  return issues;
}

/**
 * The queue that carries a contract's tasks in a lane: `payments_high` for the lane `high` of the queue `payments`, the
 * contract's own queue for the default lane or without a lane.
 *
 * @throws InvalidValueError if the contract has no such lane; the message lists its lanes
 */
export function queueOfLane({ name, queue, lanes, defaultLane }: Laned, lane: string | undefined): string {
  if (lane === undefined) return queue;
  if (!lanes) throw noSuchLane(lane, `${name} has no lanes`);
  if (typeof lane !== 'string' || !Object.hasOwn(lanes, lane))
    throw noSuchLane(lane, `expected one of ${Object.keys(lanes).join(', ')}`);
  return lane === defaultLane ? queue : laneQueueName(queue, lane);
}

/**
 * Chooses the lanes of a flow's tasks for the lane that it is started in: that lane for each contract that has it, the
 * default lane for all others.
 *
 * @throws InvalidValueError if no contract has the lane
 */
export function laneWhereDeclared(
  contracts: readonly Laned[],
  lane: string | undefined,
): (contract: Laned) => string | undefined {
  const has = ({ lanes }: Laned): boolean =>
    lane !== undefined && lanes !== undefined && Object.hasOwn(lanes, lane);
  if (lane !== undefined && !contracts.some(has)) {
    const names = [...new Set(contracts.flatMap(({ lanes }) => Object.keys(lanes ?? {})))];
    throw noSuchLane(
      lane,
      names.length > 0 ? `expected one of ${names.join(', ')}` : 'none of the tasks has lanes',
    );
  }
  return (contract) => (has(contract) ? lane : undefined);
}

/** Whether a contract's tasks may be in a queue: its own, or that of one of its lanes. */
export function carries(contract: Laned, queue: string): boolean {
  const lane = laneOfQueue(queue);
  if (lane === undefined) return queue === contract.queue;
  return Object.hasOwn(contract.lanes ?? {}, lane) && queueOfLane(contract, lane) === queue;
}

/** Whether a text may be the name of a lane. */
export function isLaneName(text: string): boolean {
  return LANE_NAME.test(text);
}

/** The contract's queue of a lane's queue: `payments` for `payments_high`, and for `payments` itself. */
export function queueWithoutLane(queue: string): string {
  const end = queue.indexOf(SEPARATOR);
  return end < 0 ? queue : queue.slice(0, end);
}

/** The lane of a queue, by its name: `high` for `payments_high`; undefined for the default lane. */
export function laneOfQueue(queue: string): string | undefined {
  const end = queue.indexOf(SEPARATOR);
  return end < 0 ? undefined : queue.slice(end + 1);
}

/** The queues of all lanes of a queue with their weights, the heaviest lane first. */
export function queuesOfLanes(queue: string, { weights, defaultLane }: Lanes): ReadonlyMap<string, number> {
  const byWeight = Object.entries(weights).toSorted(([, one], [, other]) => other - one);
  return new Map(
    byWeight.map(([lane, weight]) => [lane === defaultLane ? queue : laneQueueName(queue, lane), weight]),
  );
}

/**
 * The lanes of each queue that has lanes. All contracts on a queue that declare lanes must declare the same. A contract
 * without lanes sends to the default lane.
 *
 * @throws TypeError that names two contracts with different lanes
 */
export function lanesByQueue(contracts: readonly Laned[]): ReadonlyMap<string, Lanes> {
  const declared = new Map<string, { readonly by: string; readonly lanes: Lanes }>();
  for (const { name, queue, lanes: weights, defaultLane } of contracts) {
    if (!weights || defaultLane === undefined) continue;
    const lanes = { weights, defaultLane };
    const first = declared.get(queue);
    if (first && textOf(first.lanes) !== textOf(lanes))
      throw new TypeError(
        `The contracts ${first.by} and ${name} share the queue ${queue}, so their lanes must be the same: expected ${textOf(first.lanes)}, got ${textOf(lanes)}`,
      );
    if (!first) declared.set(queue, { by: name, lanes });
  }
  return new Map([...declared].map(([queue, { lanes }]) => [queue, lanes]));
}

function noSuchLane(lane: string, why: string): InvalidValueError {
  return new InvalidValueError('Invalid lane', [
    { path: 'lane', message: `${why}, got ${shownValue(lane)}` },
  ]);
}

/** The name of a lane's queue, such as `payments_high`. Not for the default lane. */
export function laneQueueName(queue: string, lane: string): string {
  return `${queue}${SEPARATOR}${lane}`;
}

function textOf({ weights, defaultLane }: Lanes): string {
  const sorted = Object.entries(weights).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `${sorted.map(([lane, weight]) => `${lane} ${weight}`).join(', ')}, default ${defaultLane}`;
}
