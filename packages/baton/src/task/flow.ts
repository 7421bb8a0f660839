// Chains and groups: tracked tasks that depend on each other.
import type { z } from 'zod';
import type { TaskContract, TrackedContract } from './task.ts';

/** The most steps of a chain, and the most members of a group. */
export const MAX_STEPS = 100;

/** The names of a contract's lanes. */
type LaneOf<Contract> =
  Contract extends TaskContract<z.ZodType, z.ZodType, boolean, infer Lane> ? Lane : never;

/** Tracked tasks that run one after the other. Each gets the result of the one before as its payload. */
export interface Chain<
  Payload extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
  Lane extends string = string,
> {
  readonly kind: 'chain';
  readonly steps: readonly TrackedContract[];
  /** Only for the types: the payload of the first step, the result of the last, and the lanes of all steps. */
  readonly types?: readonly [Payload, Result, Lane];
}

/** A task of a group, and its payload. */
export interface Member<Contract extends TrackedContract = TrackedContract> {
  readonly contract: Contract;
  readonly payload: unknown;
}

/** Tracked tasks that run at the same time, and a task that gets the list of their results as its payload. */
export interface Group<Result extends z.ZodType = z.ZodType, Lane extends string = string> {
  readonly kind: 'group';
  readonly members: readonly Member[];
  readonly next: TrackedContract<z.ZodType, Result>;
  /** Only for the types: the lanes of all tasks. */
  readonly types?: readonly [Lane];
}

/** The results of a group's members, in their order. */
type Results<Members extends readonly Member[]> = {
  -readonly [Index in keyof Members]: z.output<Members[Index]['contract']['result']>;
};

type Fits<Steps extends readonly TrackedContract[]> = Steps extends readonly [
  infer First extends TrackedContract,
  infer Second extends TrackedContract,
  ...infer Rest extends readonly TrackedContract[],
]
  ? z.output<First['result']> extends z.input<Second['payload']>
    ? readonly [First, ...Fits<readonly [Second, ...Rest]>]
    : readonly [First, 'the payload of this step is not the result of the one before']
  : Steps;

type Last<Steps extends readonly TrackedContract[]> = Steps extends readonly [
  ...unknown[],
  infer Final extends TrackedContract,
]
  ? Final
  : TrackedContract;

/**
 * Makes a chain of 2 to 100 tracked tasks. It is a compile error if the payload of a step is not the result of the one
 * before.
 *
 * @throws RangeError if there are fewer or more steps
 */
export function chain<const Steps extends readonly [TrackedContract, TrackedContract, ...TrackedContract[]]>(
  steps: Steps & Fits<Steps>,
): Chain<Steps[0]['payload'], Last<Steps>['result'], LaneOf<Steps[number]>> {
  checkCount('chain', steps.length, 2);
  return { kind: 'chain', steps };
}

/** Makes a member of a group: a contract and its payload. */
export function member<Payload extends z.ZodType, Result extends z.ZodType, Lane extends string = never>(
  contract: TrackedContract<Payload, Result, Lane>,
  payload: z.input<Payload>,
): Member<TrackedContract<Payload, Result, Lane>> {
  return { contract, payload };
}

/**
 * Makes a group of 1 to 100 tracked tasks that run at the same time. Once all have succeeded, `next` runs with the list of
 * their results as its payload, in the order of the members. It is a compile error if the results do not fit.
 *
 * @throws RangeError if there are fewer or more members
 * @example
 * const sum = await tasks.start(group([member(countWords, { text: 'a b' }), member(countWords, { text: 'c' })], addUp));
 */
export function group<
  const Members extends readonly Member[],
  Payload extends z.ZodType,
  Result extends z.ZodType,
  Lane extends string = never,
>(
  members: Members,
  next: Results<Members> extends z.input<Payload> ? TrackedContract<Payload, Result, Lane> : never,
): Group<Result, LaneOf<Members[number]['contract']> | Lane> {
  checkCount('group', members.length, 1);
  return { kind: 'group', members, next };
}

function checkCount(what: string, count: number, least: number): void {
  if (count < least || count > MAX_STEPS)
    throw new RangeError(`Invalid ${what}: expected ${least} to ${MAX_STEPS} tasks, got ${count}`);
}
