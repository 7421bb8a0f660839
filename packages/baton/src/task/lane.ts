import * as z from 'zod';
import { InvalidValueError, shownValue } from './invalid-value.ts';

/** Stands between a queue's name and a lane's. A contract's queue has none in its name. */
const SEPARATOR = '_';
/** As long as a queue's longest name with `-dlq` behind it: then a lane's queue fits wherever a dead letter queue does. */
const MAX_NAME_CHARACTERS = 64;
const LANE_NAME = /^(?=.{1,20}$)[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/;
const MIN_LANES = 2;
/** Each lane is a queue that every worker polls. */
const MAX_LANES = 8;
const MAX_WEIGHT = 100;

/** The lanes of a queue by name, each with its weight. */
export type LaneWeights<Lane extends string = string> = Readonly<Record<Lane, number>>;

/** The lanes of a queue, as contracts on it declare them. */
export interface Lanes {
  readonly weights: LaneWeights;
  /** The lane whose messages are in the queue itself. */
  readonly defaultLane: string;
}

/** What of a contract says where its messages go. */
export interface Laned {
  readonly name: string;
  readonly queue: string;
  readonly lanes?: LaneWeights | undefined;
  readonly defaultLane?: string | undefined;
}

/** Lanes with their weights. Not by `z.record`, which nothing else needs in a function's bundle: 3 kB. */
export const laneWeightsSchema = z
  .object({})
  .catchall(z.int(`expected a whole weight from 1 to ${MAX_WEIGHT}`).min(1).max(MAX_WEIGHT))
  .refine((lanes) => Object.keys(lanes).length >= MIN_LANES && Object.keys(lanes).length <= MAX_LANES, {
    error: `expected ${MIN_LANES} to ${MAX_LANES} lanes`,
  });

/** What is wrong with a contract's lanes beyond the schema of each member. */
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
 * The queue that carries a contract's tasks in a lane: the contract's own for its default lane and where no lane is
 * named, `payments_high` for the lane `high` of the queue `payments`.
 *
 * @throws InvalidValueError when the contract has no such lane, saying which it has
 */
export function queueOfLane({ name, queue, lanes, defaultLane }: Laned, lane: string | undefined): string {
  if (lane === undefined) return queue;
  if (!lanes) throw noSuchLane(lane, `${name} has no lanes`);
  if (typeof lane !== 'string' || !Object.hasOwn(lanes, lane))
    throw noSuchLane(lane, `expected one of ${Object.keys(lanes).join(', ')}`);
  return lane === defaultLane ? queue : laneQueueName(queue, lane);
}

/**
 * The lanes of a flow's tasks where it is started in one: that lane for each contract that has it, the default lane for
 * all others.
 *
 * @throws InvalidValueError when no contract has the lane
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

/** The contract's queue that a lane's queue belongs to: `payments` of `payments_high`, and of `payments` itself. */
export function queueWithoutLane(queue: string): string {
  const end = queue.indexOf(SEPARATOR);
  return end < 0 ? queue : queue.slice(0, end);
}

/** The lane that a queue's name says: `high` of `payments_high`; undefined for the default lane. */
export function laneOfQueue(queue: string): string | undefined {
  const end = queue.indexOf(SEPARATOR);
  return end < 0 ? undefined : queue.slice(end + 1);
}

/** The queues of a queue's lanes with their weights, the heaviest lane first. */
export function queuesOfLanes(queue: string, { weights, defaultLane }: Lanes): ReadonlyMap<string, number> {
  const byWeight = Object.entries(weights).toSorted(([, one], [, other]) => other - one);
  return new Map(
    byWeight.map(([lane, weight]) => [lane === defaultLane ? queue : laneQueueName(queue, lane), weight]),
  );
}

/**
 * The lanes of each queue that has some. Contracts on one queue that declare lanes declare the same; one that declares
 * none sends to the default lane.
 *
 * @throws TypeError naming two contracts that differ
 */
export function lanesByQueue(contracts: readonly Laned[]): ReadonlyMap<string, Lanes> {
  const declared = new Map<string, { readonly by: string; readonly lanes: Lanes }>();
  for (const { name, queue, lanes: weights, defaultLane } of contracts) {
    if (!weights || defaultLane === undefined) continue;
    const lanes = { weights, defaultLane };
    const first = declared.get(queue);
    if (first && textOf(first.lanes) !== textOf(lanes))
      throw new TypeError(
        `The contracts ${first.by} and ${name} share the queue ${queue}, so their lanes have to be the same: expected ${textOf(first.lanes)}, got ${textOf(lanes)}`,
      );
    if (!first) declared.set(queue, { by: name, lanes });
  }
  return new Map([...declared].map(([queue, { lanes }]) => [queue, lanes]));
}

function noSuchLane(lane: string, why: string): InvalidValueError {
  return new InvalidValueError('The lane cannot be', [
    { path: 'lane', message: `${why}, got ${shownValue(lane)}` },
  ]);
}

/** The name of the queue of a lane that is not the default one, such as `payments_high`. */
export function laneQueueName(queue: string, lane: string): string {
  return `${queue}${SEPARATOR}${lane}`;
}

function textOf({ weights, defaultLane }: Lanes): string {
  const sorted = Object.entries(weights).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `${sorted.map(([lane, weight]) => `${lane} ${weight}`).join(', ')}, default ${defaultLane}`;
}
