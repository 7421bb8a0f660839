import type { Brokers } from './brokers/brokers.ts';
import type { Contender } from './contender.ts';
import type { Absence, Sample } from './results.ts';

/** `full` measures; `quick` only proves that everything works, and judges nothing by time. */
export type Mode = 'full' | 'quick';

/** Something that the bench measures. */
export interface Measure {
  /** Its name in samples: `drain`. */
  readonly id: string;
  /** Its name for readers. */
  readonly title: string;
  /** Number of rounds. */
  readonly rounds: Readonly<Record<Mode, number>>;
  /** Runs one round: every contender once, one after the other. @throws Error if the whole round is invalid */
  run(bench: Bench): Promise<void>;
}

/** Names the contender of one part of a measure, its broker, and the value that the measure varies. */
export interface Attempt {
  readonly contender: string;
  readonly broker?: string | undefined;
  readonly at?: number | undefined;
}

/** The tools of a measure in one round. */
export interface Bench {
  readonly mode: Mode;
  /** Counted from 1. */
  readonly round: number;
  /** Number of rounds of this measure. */
  readonly rounds: number;
  /** The contenders, in this round's order. */
  readonly contenders: readonly Contender[];
  /** Whether the user named the contenders. Then a measure leaves none of them out. */
  readonly named: boolean;
  readonly brokers: Brokers;
  /** A folder for files, removed when the bench ends. */
  readonly folder: string;
  /** Aborts when the bench is interrupted: then child processes must end and loops must stop. */
  readonly signal: AbortSignal;
  /** Records a figure, of this measure unless it names another. A value that is not finite and above 0 is a failure. */
  record(sample: Omit<Sample, 'measure' | 'round'> & Partial<Pick<Sample, 'measure'>>): void;
  /**
   * Runs one contender's part. If it throws a CannotError or MissingError, the contender is recorded as absent. Any
   * other error fails the measure, which continues with the other contenders. A part that failed is not run again.
   */
  attempt(who: Attempt, part: () => Promise<void>): Promise<void>;
  /** Records that a contender does not take part. */
  absent(absence: Absence): void;
  /** Marks the measure as failed. It continues. */
  fail(reason: string): void;
  /** Shows the current step. */
  say(text: string): void;
}
