/** What a figure counts, and whether more of it is better. */
export const UNITS = {
  'tasks/s': 'more',
  'messages/s': 'more',
  'requests/s': 'more',
  times: 'more',
  'us/task': 'less',
  us: 'less',
  ms: 'less',
  s: 'less',
  MB: 'less',
  kB: 'less',
  requests: 'less',
  'requests/task': 'less',
  'requests/min': 'less',
  'writes/attempt': 'less',
} as const satisfies Readonly<Record<string, 'more' | 'less'>>;

/** The name of a unit. */
export type Unit = keyof typeof UNITS;

/** One figure of one contender, seen in one round. */
export interface Sample {
  /** The measure that it belongs to: `drain`. */
  readonly measure: string;
  /** What was counted: `throughput`. */
  readonly figure: string;
  readonly unit: Unit;
  /** Whose it is: `baton`, `raw-loop`, `sqs-consumer`. */
  readonly contender: string;
  /** `fauxqs`, `elasticmq` or `redis`; absent where no broker matters. */
  readonly broker?: string | undefined;
  /** Where the measure varies something, its value: messages queued, concurrency, bytes, workers. */
  readonly at?: number | undefined;
  /** Counted from 1. Samples of one round were taken one after the other, so that their ratios mean something. */
  readonly round: number;
  readonly value: number;
}

/** Somebody who did not take part, and why. */
export interface Absence {
  readonly contender: string;
  readonly broker?: string | undefined;
  readonly reason: string;
}

/** All that one run of the bench found. */
export interface Results {
  /** ISO 8601. */
  readonly startedAt: string;
  readonly durationSeconds: number;
  readonly mode: 'full' | 'quick';
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGb: number;
    readonly os: string;
    readonly node: string;
  };
  /** Of contenders and brokers, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly absent: readonly Absence[];
  readonly samples: readonly Sample[];
  /** When measures that an earlier run left were taken, by their ids, ISO 8601. All others: `startedAt`. */
  readonly taken?: Readonly<Record<string, string>> | undefined;
}
