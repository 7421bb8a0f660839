import { type Sample, UNITS } from './results.ts';
import type { Rounds } from './statistics.ts';

/** Which samples are meant; what is left open takes all. */
export interface Choice {
  readonly measure: string;
  readonly figure: string;
  readonly contender?: string | undefined;
  readonly broker?: Broker;
  readonly at?: number | undefined;
  /** What a round's samples come to where there are several; the best of them, if nothing is said. */
  readonly reduce?: ((samples: readonly Sample[]) => number) | undefined;
}

/** Where samples were taken; undefined where that is left open. */
export type Broker = string | undefined;

const KEYS = ['measure', 'figure', 'contender', 'broker', 'at'] as const;

/** The samples that are meant. */
export function samplesOf(samples: readonly Sample[], choice: Choice): Sample[] {
  return samples.filter((sample) =>
    KEYS.every((key) => choice[key] === undefined || choice[key] === sample[key]),
  );
}

/** What is meant, as one value for each round. */
export function roundsOf(samples: readonly Sample[], choice: Choice): Rounds {
  const byRound = Map.groupBy(samplesOf(samples, choice), ({ round }) => round);
  const { reduce = best } = choice;
  return new Map([...byRound].map(([round, ofRound]) => [round, reduce(ofRound)]));
}

/** The best value, by what its unit says is better. */
export function best(samples: readonly Sample[]): number {
  const values = samples.map(({ value }) => value);
  return samples.every(({ unit }) => UNITS[unit] === 'more') ? Math.max(...values) : Math.min(...values);
}

/** A figure on a broker, of whomever it is asked for. */
export function of(measure: string, figure: string, broker: Broker): (contender: string) => Choice {
  return (contender) => ({ measure, figure, broker, contender });
}
