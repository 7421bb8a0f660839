import { parseArgs } from 'node:util';

/** How much a soak does, and the seed that gives the same tasks and the same faults again. */
export interface SoakPlan {
  readonly tasks: number;
  /** Tasks that kill the worker which runs them. */
  readonly poisons: number;
  /** Workers killed with SIGKILL. */
  readonly kills: number;
  /** Workers stopped in their tracks with SIGSTOP, for up to three leases. */
  readonly pauses: number;
  /** Workers whose clock is wrong by up to 12 hours. */
  readonly clocks: number;
  /** Workers whose log is on a full disk. */
  readonly disks: number;
  /** Troubles of the network, up to a second each. */
  readonly cuts: number;
  /** Broker ended and started again with its messages. */
  readonly restarts: number;
  readonly seed: number;
}

/** Reads the plan of a soak from its arguments. @throws Error naming an argument that is no whole number */
export function readSoakPlan(args: readonly string[]): SoakPlan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      tasks: { type: 'string', default: '100000' },
      poisons: { type: 'string', default: '10' },
      kills: { type: 'string', default: '100' },
      pauses: { type: 'string', default: '30' },
      clocks: { type: 'string', default: '10' },
      disks: { type: 'string', default: '10' },
      cuts: { type: 'string', default: '30' },
      restarts: { type: 'string', default: '20' },
      seed: { type: 'string', default: seedByChance() },
    },
  });
  return {
    tasks: wholeNumber('tasks', values.tasks),
    poisons: wholeNumber('poisons', values.poisons),
    kills: wholeNumber('kills', values.kills),
    pauses: wholeNumber('pauses', values.pauses),
    clocks: wholeNumber('clocks', values.clocks),
    disks: wholeNumber('disks', values.disks),
    cuts: wholeNumber('cuts', values.cuts),
    restarts: wholeNumber('restarts', values.restarts),
    seed: wholeNumber('seed', values.seed),
  };
}

/** How much a soak of tracked tasks does, and the seed that gives the same tasks and the same kills again. */
export interface TrackedPlan {
  readonly tasks: number;
  /** Workers killed with SIGKILL. */
  readonly kills: number;
  readonly seed: number;
}

/** Reads the plan of a soak of tracked tasks. @throws Error naming an argument that is no whole number */
export function readTrackedPlan(args: readonly string[]): TrackedPlan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      tasks: { type: 'string', default: '1000' },
      kills: { type: 'string', default: '50' },
      seed: { type: 'string', default: seedByChance() },
    },
  });
  return {
    tasks: wholeNumber('tasks', values.tasks),
    kills: wholeNumber('kills', values.kills),
    seed: wholeNumber('seed', values.seed),
  };
}

function seedByChance(): string {
  return String(Math.floor(Math.random() * 2 ** 31));
}

function wholeNumber(name: string, value: string): number {
  if (/^\d{1,10}$/.test(value)) return Number(value);
  throw new Error(`--${name} is ${value}; expected a whole number`);
}
