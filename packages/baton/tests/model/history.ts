import * as fc from 'fast-check';
import type { StaleHandles } from './model-sqs.ts';

/** What one run of a handler does. */
export type Step =
  /** Works for so long, heeding its signal, and returns. */
  | { readonly does: 'return'; readonly ms: number }
  /** Works for so long, heeding its signal, and throws. */
  | { readonly does: 'throw'; readonly ms: number }
  /** Asks to be tried again after so long. */
  | { readonly does: 'retry'; readonly delaySeconds: number }
  | { readonly does: 'reject' }
  /** Works until its signal aborts. */
  | { readonly does: 'hang' }
  /** Works for so long, ignores its signal, and returns. */
  | { readonly does: 'ignore'; readonly ms: number }
  /** Works for so long, and kills its process. */
  | { readonly does: 'kill'; readonly ms: number };

/** What the network does to one request. */
export type Fault =
  | 'none'
  /** There is no connection. */
  | 'refused'
  /** The request never arrives, and the client waits until it gives up. */
  | 'lost request'
  /** The request arrives after the client has given it up. */
  | 'late request'
  /** The broker does what it is asked, and its answer never arrives. */
  | 'lost reply'
  /** The answer takes up to half a lease. */
  | 'slow reply'
  /** The broker fails some entries of a batch, or the whole receive, through no fault of the caller's. */
  | 'failed entries'
  /** The request is carried out twice; a receive is handed a message that another holds. */
  | 'twice'
  /** A deleted message is there again. */
  | 'reappear';

/** A message, and what its handlers will do, run by run; after the last step they return at once. */
export interface MessagePlan {
  /** A task, tracked or not, a chain of three tracked ones, or a message that is no task here. */
  readonly is: 'task' | 'tracked' | 'chain' | 'malformed' | 'invalid' | 'unknown';
  readonly sentAtMs: number;
  readonly steps: readonly Step[];
  /** When a tracked task, or the last of a chain, is cancelled, if it is. */
  readonly cancelledAtMs: number | undefined;
  /** How somebody puts a tracked task's first dead letter back, if they do, and after how long. */
  readonly putBack: { readonly as: 'letter' | 'body'; readonly afterMs: number } | undefined;
}

/** A stretch of time. */
export interface Span {
  readonly fromMs: number;
  readonly forMs: number;
}

/** A worker, and how it ends, if it does (killed, stopped, or told to stop twice); another takes its place. */
export interface WorkerPlan {
  readonly concurrency: number;
  readonly end: { readonly by: 'crash' | 'stop' | 'hurried stop'; readonly atMs: number } | undefined;
  /** When it stands still, as after SIGSTOP: it asks for nothing and hears nothing until it goes on. */
  readonly pause: Span | undefined;
}

/** All that chance decides in one run of the system against the model. */
export interface History {
  readonly executor: 'local' | 'lambda';
  readonly staleHandles: StaleHandles;
  /** For the order of deliveries, jitter and the time that the network takes. */
  readonly seed: number;
  readonly messages: readonly MessagePlan[];
  readonly workers: readonly WorkerPlan[];
  /** The longest that a request, or its answer, is under way where nothing is wrong. */
  readonly latencyMs: number;
  /** What befalls so many requests in a row, in the order that they are made; nothing once it is used up. */
  readonly faults: readonly { readonly fault: Fault; readonly requests: number }[];
  /** When the task store answers nobody. */
  readonly storeAway: Span | undefined;
  /** When the wall clocks of all processes are set, and by how much; those of SQS and DynamoDB are right. */
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
/** More often than any task may kill its process. */
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
  end: fc.option(fc.record({ by: fc.constantFrom('crash', 'stop', 'hurried stop'), atMs: fc.nat(15_000) }), {
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

/** Histories, small ones first. */
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
