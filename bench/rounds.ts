import type { Attempt, Bench, Measure, Mode } from './bench.ts';
import { MissingError } from './brokers/broker.ts';
import type { Brokers } from './brokers/brokers.ts';
import { CannotError, type Contender } from './contender.ts';
import type { Progress } from './progress.ts';
import type { Absence, Sample } from './results.ts';

/** Options of `Rounds`. */
export interface RoundsOptions {
  readonly mode: Mode;
  readonly contenders: readonly Contender[];
  /** Whether the user named the contenders. */
  readonly named: boolean;
  readonly brokers: Brokers;
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly progress: Pick<Progress, 'round' | 'say' | 'failed'>;
  /** Rounds of each measure. Default: the measure's own number. */
  readonly rounds?: number | undefined;
}

/** The results of all rounds so far. */
export interface Found {
  readonly samples: readonly Sample[];
  readonly absent: readonly Absence[];
  /** The ids of the measures that failed. */
  readonly failed: ReadonlySet<string>;
}

/** Runs measures in rounds. In a round the contenders take turns. Each round starts with another contender. */
export class Rounds {
  readonly #options: RoundsOptions;
  readonly #samples: Sample[] = [];
  readonly #absent = new Map<string, Absence>();
  readonly #failed = new Set<string>();
  /** Parts that failed or are impossible, by measure and name. They are not run again. */
  readonly #left = new Set<string>();

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** Runs a measure, and resolves to the results of all measures so far. @throws the signal's reason when it aborts */
  async run(measure: Measure): Promise<Found> {
    const { signal, progress } = this.#options;
    const rounds = this.#options.rounds ?? measure.rounds[this.#options.mode];
    for (let round = 1; round <= rounds; round++) {
      signal.throwIfAborted();
      progress.round(measure.title, round, rounds);
      await measure
        .run(this.#bench(measure, round, rounds))
        .catch((error: unknown) => this.#fail(measure, error));
      signal.throwIfAborted();
    }
    this.#expectFigures(measure);
    return this.found;
  }

  /** The results so far. */
  get found(): Found {
    return { samples: [...this.#samples], absent: [...this.#absent.values()], failed: this.#failed };
  }

  #bench(measure: Measure, round: number, rounds: number): Bench {
    const { mode, named, brokers, folder, signal, progress } = this.#options;
    return {
      mode,
      named,
      round,
      rounds,
      brokers,
      folder,
      signal,
      contenders: rotated(contendersOf(measure, this.#options.contenders), round - 1),
      record: (sample) => this.#record(measure, { measure: measure.id, ...sample, round }),
      attempt: (who, part) => this.#attempt(measure, who, part),
      absent: (absence) => this.#noteAbsent(absence),
      fail: (reason) => this.#fail(measure, new Error(reason)),
      say: (text) => progress.say(text),
    };
  }

  #record(measure: Measure, sample: Sample): void {
    const { value, figure, contender } = sample;
    if (Number.isFinite(value) && value > 0) this.#samples.push(sample);
    else this.#fail(measure, new Error(`${figure} of ${contender} is ${value}; expected more than 0`));
  }

  /** Fails a measure without samples, except if the user named contenders: they may not take part in it. */
  #expectFigures(measure: Measure): void {
    const some = this.#samples.some((sample) => sample.measure === measure.id);
    if (!some && !this.#options.named) this.#fail(measure, new Error('no figures; expected at least one'));
  }

  async #attempt(measure: Measure, who: Attempt, part: () => Promise<void>): Promise<void> {
    const { contender, broker, at } = who;
    const name = `${contender}${broker ? ` on ${broker}` : ''}${at === undefined ? '' : ` at ${at}`}`;
    const key = `${measure.id}: ${name}`;
    const { signal, progress } = this.#options;
    signal.throwIfAborted();
    if (this.#left.has(key)) return;
    progress.say(name);
    try {
      await part();
    } catch (error) {
      signal.throwIfAborted();
      this.#left.add(key);
      if (error instanceof CannotError || error instanceof MissingError)
        this.#noteAbsent({ contender, broker, reason: error.message });
      else this.#fail(measure, new Error(`${name}: ${messageOf(error)}`, { cause: error }));
    }
  }

  #noteAbsent(absence: Absence): void {
    this.#absent.set(`${absence.contender} ${absence.broker ?? ''} ${absence.reason}`, absence);
  }

  #fail({ id }: Measure, error: unknown): void {
    if (this.#options.signal.aborted) return;
    this.#failed.add(id);
    this.#options.progress.failed(`${id}: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return Error.isError(error) ? error.message : String(error);
}

function contendersOf({ id }: Measure, contenders: readonly Contender[]): readonly Contender[] {
  return contenders.filter(({ measures }) => measures?.includes(id) ?? true);
}

function rotated<Each>(list: readonly Each[], by: number): readonly Each[] {
  const from = list.length > 0 ? by % list.length : 0;
  return [...list.slice(from), ...list.slice(0, from)];
}
