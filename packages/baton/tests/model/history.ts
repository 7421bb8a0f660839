import * as fc from 'fast-check';
import type { StaleHandles } from './model-sqs.ts';

/** One run of a handler. */
export type Step =
  /** Works for this long, unless its signal aborts, and returns. */
  | { readonly does: 'return'; readonly ms: number }
  /** Works for this long, unless its signal aborts, and throws. */
  | { readonly does: 'throw'; readonly ms: number }
  /** Asks for a retry after this delay. */
  | { readonly does: 'retry'; readonly delaySeconds: number }
  | { readonly does: 'reject' }
  /** Works until its signal aborts. */
  | { readonly does: 'hang' }
  /** Works for this long, ignores its signal, and returns. */
  | { readonly does: 'ignore'; readonly ms: number }
  /** Works for this long, and kills its process. */
  | { readonly does: 'kill'; readonly ms: number };

/** A network fault of one request. */
export type Fault =
  | 'none'
  /** The connection is refused. */
  | 'refused'
  /** The request never arrives, and the client waits for its timeout. */
  | 'lost request'
  /** The request arrives after the client's timeout. */
  | 'late request'
  /** The broker carries the request out, but the response never arrives. */
  | 'lost reply'
  /** The response takes up to half a lease. */
  | 'slow reply'
  /** The broker fails some entries of a batch, or the whole receive. The request was correct. */
  | 'failed entries'
  /** The request is carried out twice. A receive returns a message that another worker holds. */
  | 'twice'
  /** A deleted message becomes visible again. */
  | 'reappear';

/** The plan of a message and of its handlers, run by run. After the last step handlers return at once. */
export interface MessagePlan {
  /** A task, tracked or not; a chain of three tracked tasks; or a message that is not a known, valid task. */
  readonly is: 'task' | 'tracked' | 'chain' | 'malformed' | 'invalid' | 'unknown';
  readonly sentAtMs: number;
  readonly steps: readonly Step[];
  /** When the tracked task, or the last task of the chain, is cancelled. undefined: never. */
  readonly cancelledAtMs: number | undefined;
  /** In which form and after how long a tracked task's first dead letter is redriven. undefined: never. */
  readonly putBack: { readonly as: 'letter' | 'body'; readonly afterMs: number } | undefined;
}

/** A period of time. */
export interface Span {
  readonly fromMs: number;
  readonly forMs: number;
}

/** The plan of a worker. If it ends (killed, stopped, or stopped by two signals), another worker replaces it. */
export interface WorkerPlan {
  readonly concurrency: number;
  readonly end: { readonly by: 'crash' | 'stop' | 'second signal'; readonly atMs: number } | undefined;
  /** When it is paused, as by SIGSTOP: it sends no requests and reads no responses. */
  readonly pause: Span | undefined;
}

/** All random decisions of one run of the system against the model. */
export interface History {
  readonly executor: 'local' | 'lambda';
  readonly staleHandles: StaleHandles;
  /** The seed for the order of deliveries, jitter and latencies. */
  readonly seed: number;
  readonly messages: readonly MessagePlan[];
  readonly workers: readonly WorkerPlan[];
  /** The longest time that a request, or its response, takes on a healthy network. */
  readonly latencyMs: number;
  /** The faults of requests in their order: each hits this number of requests in a row. Later requests have none. */
  readonly faults: readonly { readonly fault: Fault; readonly requests: number }[];
  /** When the task store refuses all requests. */
  readonly storeAway: Span | undefined;
  /** When and by how much the wall clocks of all processes are set. The clocks of SQS and DynamoDB stay right. */
  readonly clockSet: { readonly atMs: number; readonly byMs: number } | undefined;
}

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ does: fc.constant('return' as const), ms: fc.nat(24_000) }),
  fc.record({ does: fc.constant('throw' as const), ms: fc.nat(2000) }),
  fc.record({ does: fc.constant('retry' as const), delaySeconds: fc.nat(8) }),
  fc.record({ does: fc.constant('reject' as const) }),
  fc.record({ does: fc.constant('hang' as const) }),
  fc.record({ does: fc.constant('ignore' as const), ms: fc.nat(26_000) }),
);

const kill: fc.Arbitrary<Step> = fc.record({ does: fc.constant('kill' as const), ms: fc.nat(3000) });
const harmless = fc.array(step, { maxLength: 4 });
const deadly = fc.array(fc.oneof({ weight: 6, arbitrary: step }, { weight: 1, arbitrary: kill }), {
  maxLength: 4,
});
/** More kills than Baton allows a task. */
const poison = kill.map((each) => Array<Step>(6).fill(each));
const steps = fc.oneof(
  { weight: 16, arbitrary: harmless },
  { weight: 8, arbitrary: deadly },
  { weight: 2, arbitrary: poison },
);

const spanUpTo = (longestMs: number): fc.Arbitrary<Span> =>
  fc.record({ fromMs: fc.nat(15_000), forMs: fc.nat(longestMs) });
const seldom = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(value, { nil: undefined, freq: 1 });

const message: fc.Arbitrary<MessagePlan> = fc.record({
  is: fc.constantFrom(
    'task',
    'task',
    'task',
    'tracked',
    'tracked',
    'chain',
    'malformed',
    'invalid',
    'unknown',
  ),
  sentAtMs: fc.nat(5000),
  steps,
  cancelledAtMs: fc.option(fc.nat(20_000), { nil: undefined, freq: 4 }),
  putBack: fc.option(
    fc.record({ as: fc.constantFrom('letter' as const, 'body' as const), afterMs: fc.nat(8000) }),
    { nil: undefined, freq: 2 },
  ),
});

const worker: fc.Arbitrary<WorkerPlan> = fc.record({
  concurrency: fc.integer({ min: 1, max: 3 }),
  end: fc.option(fc.record({ by: fc.constantFrom('crash', 'stop', 'second signal'), atMs: fc.nat(15_000) }), {
    nil: undefined,
  }),
  pause: seldom(spanUpTo(20_000)),
});

const fault: fc.Arbitrary<Fault> = fc.constantFrom(
  'none',
  'none',
  'refused',
  'lost request',
  'late request',
  'lost reply',
  'slow reply',
  'failed entries',
  'twice',
  'reappear',
);

/** Random histories, small ones first. */
export const histories: fc.Arbitrary<History> = fc.record({
  executor: fc.constantFrom('local', 'local', 'local', 'lambda'),
  staleHandles: fc.constantFrom('ignored', 'obeyed', 'refused'),
  seed: fc.nat(2 ** 31 - 1),
  messages: fc.array(message, { minLength: 1, maxLength: 5 }),
  workers: fc.array(worker, { minLength: 1, maxLength: 2 }),
  latencyMs: fc.constantFrom(5, 40, 400),
  faults: fc.array(fc.record({ fault, requests: fc.integer({ min: 1, max: 8 }) }), { maxLength: 8 }),
  storeAway: seldom(spanUpTo(30_000)),
  clockSet: seldom(
    fc.record({ atMs: fc.nat(15_000), byMs: fc.integer({ min: -43_200_000, max: 43_200_000 }) }),
  ),
});
