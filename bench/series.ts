import { type Sample, UNITS } from './results.ts';
import type { Rounds } from './statistics.ts';

/** Selects samples. An absent key selects all values. */
export interface Choice {
  readonly measure: string;
  readonly figure: string;
  readonly contender?: string | undefined;
  readonly broker?: Broker;
  readonly at?: number | undefined;
  /** Combines the samples of a round into one value. Default: the best of them. */
  readonly reduce?: ((samples: readonly Sample[]) => number) | undefined;
}

/** The broker of samples. undefined: any. */
export type Broker = string | undefined;

const KEYS = ['measure', 'figure', 'contender', 'broker', 'at'] as const;

/** The selected samples. */
export function samplesOf(samples: readonly Sample[], choice: Choice): Sample[] {
  return samples.filter((sample) =>
    KEYS.every((key) => choice[key] === undefined || choice[key] === sample[key]),
  );
}

/** The selected samples as one value for each round. */
export function roundsOf(samples: readonly Sample[], choice: Choice): Rounds {
  const byRound = Map.groupBy(samplesOf(samples, choice), ({ round }) => round);
  const { reduce = best } = choice;
  return new Map([...byRound].map(([round, ofRound]) => [round, reduce(ofRound)]));
}

/** The best value: the largest if more is better for its unit, else the smallest. */
export function best(samples: readonly Sample[]): number {
  const values = samples.map(({ value }) => value);
  return samples.every(({ unit }) => UNITS[unit] === 'more') ? Math.max(...values) : Math.min(...values);
}

/** Returns a function that selects a contender's samples of a figure on a broker. */
export function of(measure: string, figure: string, broker: Broker): (contender: string) => Choice {
  return (contender) => ({ measure, figure, broker, contender });
}
