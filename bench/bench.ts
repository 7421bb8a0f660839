import type { Brokers } from './brokers/brokers.ts';
import type { Contender } from './contender.ts';
import type { Absence, Sample } from './results.ts';

/** `full` finds figures; `quick` proves that everything works, and judges nothing by time. */
export type Mode = 'full' | 'quick';

/** Something that the bench measures. */
export interface Measure {
  /** As samples name it: `drain`. */
  readonly id: string;
  /** What a reader calls it. */
  readonly title: string;
  /** How often it is run. */
  readonly rounds: Readonly<Record<Mode, number>>;
  /** Runs one round: every contender once, one after the other. @throws where the whole round is worth nothing */
  run(bench: Bench): Promise<void>;
}

/** Whose part it is. */
export interface Attempt {
  readonly contender: string;
  readonly broker?: string | undefined;
  readonly at?: number | undefined;
}

/** What a measure works with in one round. */
export interface Bench {
  readonly mode: Mode;
  /** Counted from 1. */
  readonly round: number;
  /** In all. */
  readonly rounds: number;
  /** Who takes part, in this round's order. */
  readonly contenders: readonly Contender[];
  /** Whether they were asked for by name, so that a measure leaves none of them out. */
  readonly named: boolean;
  readonly brokers: Brokers;
  /** A folder for files, removed when the bench ends. */
  readonly folder: string;
  /** Aborts when the bench is interrupted: children are to end, loops to stop. */
  readonly signal: AbortSignal;
  /** Notes a figure, of this measure unless it says of which. One that is not finite, or not above zero, fails the measure. */
  record(sample: Omit<Sample, 'measure' | 'round'> & Partial<Pick<Sample, 'measure'>>): void;
  /**
   * Does the part of one contender. Where that cannot be done (CannotError, MissingError) it is noted as absent; any
   * other error fails the measure, which goes on with the others. Whoever failed is not tried again in later rounds.
   */
  attempt(who: Attempt, part: () => Promise<void>): Promise<void>;
  /** Notes that somebody does not take part. */
  absent(absence: Absence): void;
  /** Fails the measure, which goes on with whatever is left of it. */
  fail(reason: string): void;
  /** Says what is done at this moment. */
  say(text: string): void;
}
