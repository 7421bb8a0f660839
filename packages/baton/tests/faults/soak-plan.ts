import { parseArgs } from 'node:util';
import type { WorkerTroubles } from './worker-troubles.ts';

/** The size of a soak of tracked tasks. The same seed gives the same tasks and troubles. */
export interface TrackedPlan extends WorkerTroubles {
  readonly tasks: number;
  /** Tasks that kill their worker. */
  readonly poisons: number;
  readonly seed: number;
}

/** The size of a soak. */
export interface SoakPlan extends TrackedPlan {
  /** Network troubles, up to a second each. */
  readonly cuts: number;
  /** Restarts of the broker, which keeps its messages. */
  readonly restarts: number;
}

const SOAK: Omit<SoakPlan, 'seed'> = {
  tasks: 100_000,
  poisons: 10,
  kills: 100,
  pauses: 30,
  clocks: 10,
  disks: 10,
  cuts: 30,
  restarts: 20,
};
const TRACKED: Omit<TrackedPlan, 'seed'> = {
  tasks: 1000,
  poisons: 5,
  kills: 50,
  pauses: 20,
  clocks: 5,
  disks: 5,
};

/** Reads the plan of a soak from its arguments. @throws Error that names the argument that is not a whole number */
export function readSoakPlan(args: readonly string[]): SoakPlan {
  return readPlan(args, SOAK);
}

/** Reads the plan of a soak of tracked tasks. @throws Error that names the argument that is not a whole number */
export function readTrackedPlan(args: readonly string[]): TrackedPlan {
  return readPlan(args, TRACKED);
}

function readPlan<Plan extends object>(
  args: readonly string[],
  defaults: Plan,
): Plan & { readonly seed: number } {
  const all = { ...defaults, seed: Math.floor(Math.random() * 2 ** 31) };
  const options = Object.keys(all).map((name) => [name, { type: 'string' }] as const);
  const { values } = parseArgs({ args: [...args], options: Object.fromEntries(options) });
  const given = Object.entries(values).map(([name, value]) => [name, wholeNumber(name, String(value))]);
  return { ...all, ...(Object.fromEntries(given) as Partial<Plan>) };
}

function wholeNumber(name: string, value: string): number {
  if (/^\d{1,10}$/.test(value)) return Number(value);
  throw new Error(`--${name} is ${value}; expected a whole number`);
}
