import { parseArgs } from 'node:util';
import type { WorkerTroubles } from './worker-troubles.ts';

/** How much a soak of tracked tasks does, and the seed that gives the same tasks and the same troubles again. */
export interface TrackedPlan extends WorkerTroubles {
  readonly tasks: number;
  /** Tasks that kill the worker which runs them. */
  readonly poisons: number;
  readonly seed: number;
}

/** How much a soak does. */
export interface SoakPlan extends TrackedPlan {
  /** Troubles of the network, up to a second each. */
  readonly cuts: number;
  /** Broker ended and started again with its messages. */
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

/** Reads the plan of a soak from its arguments. @throws Error naming an argument that is no whole number */
export function readSoakPlan(args: readonly string[]): SoakPlan {
  return readPlan(args, SOAK);
}

/** Reads the plan of a soak of tracked tasks. @throws Error naming an argument that is no whole number */
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
