/** The units of figures, and whether more or less is better. */
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
  /** The name of the figure: `throughput`. */
  readonly figure: string;
  readonly unit: Unit;
  /** The contender: `baton`, `raw-loop`, `sqs-consumer`. */
  readonly contender: string;
  /** `fauxqs`, `elasticmq` or `redis`. Absent if no broker matters. */
  readonly broker?: string | undefined;
  /** The value that the measure varies: messages queued, concurrency, bytes, workers. Absent if it varies nothing. */
  readonly at?: number | undefined;
  /** Counted from 1. Samples of one round were taken close together, so their ratios are meaningful. */
  readonly round: number;
  readonly value: number;
}

/** A contender that did not take part, and why. */
export interface Absence {
  readonly contender: string;
  readonly broker?: string | undefined;
  readonly reason: string;
}

/** The results of one run of the bench. */
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
  /** Versions of contenders and brokers, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly absent: readonly Absence[];
  readonly samples: readonly Sample[];
  /** When measures kept from earlier runs were taken, by id, ISO 8601. All others were taken at `startedAt`. */
  readonly taken?: Readonly<Record<string, string>> | undefined;
}
