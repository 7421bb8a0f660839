import { setTimeout as sleep } from 'node:timers/promises';
import { implement } from 'baton-tasks';
import { createLogger } from 'baton-tasks/service';
import {
  Implementations,
  QueueUrls,
  TaskClient,
  TaskStore,
  Worker,
  type WorkerConfig,
} from 'baton-tasks/tooling';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { Random } from '../faults/random.ts';
import { Ledger } from './ledger.ts';
import { ModelSqs, type Refusal } from './model-sqs.ts';
import { ModelTable } from './model-table.ts';
import { tracked } from './model-tasks.ts';
import type { ModelWorld } from './model-world.ts';
import { SqsClient } from './sqs-client.ts';
import { TableClient } from './table-client.ts';
import { VirtualTime } from './virtual-time.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** As Baton's queues have it (MessageRetentionPeriod). */
const RETENTION_SECONDS = 604_800;
/** No rest has this length, so what hides a message for so long renews its lease; long, for timers cost time. */
const LEASE_SECONDS = 300.5;
/** Virtual time passes from one event to the next, and an idle poll's end is one. */
const WAIT_SECONDS = 900;
const TIMEOUT_MS = 1000;
const WORK_MS = 3000;
const LATEST_MS = 2000;
const TWICE_IN = 50;

/** What goes wrong while a task waits for its time. */
export type DelayTrouble = 'nothing' | 'workers replaced' | 'delivered twice';

/** A tracked task that is put off for so many days, and what goes wrong meanwhile. */
export interface DelayPlan {
  readonly days: number;
  readonly trouble: DelayTrouble;
  readonly seed: number;
}

/** What became of a task that was put off. */
export interface DelayRun {
  /** The promises that were broken; none is good. */
  readonly broken: readonly string[];
  /** How long after its time it was begun. */
  readonly lateMs: number;
  /** How often its message, or a copy, was hidden until later. */
  readonly hops: number;
  /** Messages that carried it, one after the other. */
  readonly messages: number;
}

const logger = createLogger({ service: 'model', level: 'silent' });
/** The task that is put off. Nobody is told of its end, which would be a second one. */
const { onEnd: _told, ...putOff } = tracked;
const queueUrls = new QueueUrls('http://sqs/0/');

/** Has real workers wait for the time of a task, in virtual time. */
export function runDelay(plan: DelayPlan): Promise<DelayRun> {
  const random = new Random(plan.seed);
  const chance = Math.random;
  Math.random = () => random.below(2 ** 30) / 2 ** 30;
  return VirtualTime.during((time) => new Delay(plan, random, time).play()).finally(() => {
    Math.random = chance;
  });
}

/** The queue, which notes how far messages are put back. */
class NotedSqs extends ModelSqs {
  hops = 0;
  readonly tooFar: number[] = [];

  override changeVisibility(handle: string, seconds: number): Refusal {
    const refusal = super.changeVisibility(handle, seconds);
    if (refusal === 'InvalidParameterValue') this.tooFar.push(seconds);
    if (!refusal && seconds > LEASE_SECONDS) this.hops += 1;
    return refusal;
  }
}

class Delay {
  readonly #plan: DelayPlan;
  readonly #random: Random;
  readonly #time: VirtualTime;
  readonly #sqs: NotedSqs;
  readonly #world: ModelWorld;
  readonly #runs: { readonly attempt: number; readonly atMs: number }[] = [];
  readonly #dueAtMs: number;
  #started = 0;
  #over = false;

  constructor(plan: DelayPlan, random: Random, time: VirtualTime) {
    this.#plan = plan;
    this.#random = random;
    this.#time = time;
    this.#sqs = new NotedSqs(random, 'ignored', RETENTION_SECONDS);
    this.#dueAtMs = plan.days * DAY_MS;
    const table = new ModelTable();
    const ledger = new Ledger({
      sqs: this.#sqs,
      table,
      leaseSeconds: LEASE_SECONDS,
      leasesAbort: true,
      fenced: true,
      longestStopMs: Infinity,
      longestCalmStopMs: Infinity,
      faults: () => 0,
      storeAway: false,
      pauses: false,
    });
    const twice = plan.trouble === 'delivered twice';
    const nextFault = () => (twice && random.below(TWICE_IN) === 0 ? 'twice' : 'none');
    this.#world = {
      sqs: this.#sqs,
      table,
      ledger,
      random,
      leaseSeconds: LEASE_SECONDS,
      latencyMs: 40,
      nextFault,
      storeAnswers: () => true,
    };
  }

  async play(): Promise<DelayRun> {
    const { ledger } = this.#world;
    this.#startWorker();
    this.#startWorker();
    const sent = this.#send();
    let said = false;
    void sent.then(() => (said = true));
    const ended = (): boolean =>
      said && ledger.books.allEnded && this.#sqs.messages.every(({ deleted }) => deleted);
    const inTime = await this.#time.pass(ended, this.#dueAtMs + HOUR_MS, () => ledger.look());
    this.#over = true;
    return {
      broken: [...(inTime ? [] : ['never ended']), ...this.#broken()],
      lateMs: (this.#runs[0]?.atMs ?? Infinity) - this.#dueAtMs,
      hops: this.#sqs.hops,
      messages: this.#sqs.messages.length,
    };
  }

  #broken(): string[] {
    const { violations } = this.#world.ledger;
    const runs = this.#runs.map(({ attempt, atMs }) => ({ attempt, lateMs: atMs - this.#dueAtMs }));
    const [first] = runs;
    const onTime = first && first.attempt === 1 && first.lateMs >= 0 && first.lateMs <= LATEST_MS;
    return [
      ...violations,
      ...(runs.length === 1 && onTime ? [] : [`its runs were ${JSON.stringify(runs)}`]),
      ...this.#sqs.tooFar.map((seconds) => `hidden for ${seconds} s, past 12 h since its receive`),
      ...this.#sqs.forgotten.map((body) => `forgotten by SQS: ${body}`),
      ...this.#sqs.deadLetters.map((body) => `a dead letter: ${body}`),
    ];
  }

  async #send(): Promise<void> {
    const calm = { ...this.#world, nextFault: () => 'none' as const };
    const documents = new TableClient(calm, TIMEOUT_MS).client;
    const records = new TaskStore({ documents, table: 'tasks' });
    const sqs = new SqsClient(calm, 'sender', TIMEOUT_MS).client;
    const tasks = new TaskClient({ sqs, queueUrls, source: 'model', records });
    const { taskId } = await tasks.send(putOff, { of: 1 }, { notBefore: new Date(this.#dueAtMs) });
    this.#world.ledger.books.sent([taskId]);
    const [first] = this.#sqs.messages;
    if (this.#plan.trouble !== 'delivered twice' || !first) return;
    // As a send whose answer was lost, and that was made again; and one that comes in the last minute
    this.#sqs.send(first.body);
    setTimeout(
      () => this.#sqs.send(first.body),
      this.#dueAtMs - this.#time.nowMs - this.#random.below(60_000),
    );
  }

  #startWorker(): void {
    const name = `w${(this.#started += 1)}`;
    const receiving = new SqsClient(this.#world, name, TIMEOUT_MS);
    const settling = new SqsClient(this.#world, name, TIMEOUT_MS);
    const documents = new TableClient(this.#world, TIMEOUT_MS);
    const work = implement(putOff, async ({ of }, { attempt, signal }) => {
      this.#runs.push({ attempt, atMs: this.#time.nowMs });
      await sleep(WORK_MS, undefined, { signal });
      return { of: of + 1 };
    });
    const worker = new Worker({
      processGuard: 'off',
      config: configOf(name),
      implementations: new Implementations([work]),
      logger,
      connections: {
        receiving: receiving.client,
        settling: settling.client,
        sending: settling.client,
        lambda: { destroy: () => undefined } as unknown as LambdaClient,
        documents: documents.client,
      },
    });
    worker.start();
    if (this.#plan.trouble !== 'workers replaced') return;
    const { crashes, inMs } = this.#end();
    setTimeout(() => {
      if (this.#over) return;
      if (!crashes) void worker.stop();
      else for (const connection of [receiving, settling, documents]) connection.cut();
      if (crashes) this.#world.ledger.crashes(name);
      this.#startWorker();
    }, inMs);
  }

  /**
   * When a worker ends, and how: by a crash or a stop within a day, and about the task's time by a stop. What crashes
   * then has its message come back a lease later, and that is no delay of this kind.
   */
  #end(): { readonly crashes: boolean; readonly inMs: number } {
    const leftMs = this.#dueAtMs - this.#time.nowMs;
    const inMs = this.#random.below(DAY_MS);
    if (inMs < leftMs - HOUR_MS) return { crashes: this.#random.below(2) === 0, inMs };
    return { crashes: false, inMs: Math.max(1000, leftMs - 5000 + this.#random.below(10_000)) };
  }
}

function configOf(workerId: string): WorkerConfig {
  return {
    logLevel: 'silent',
    queueUrlPrefix: 'http://sqs/0/',
    tasksTable: 'tasks',
    region: 'us-east-1',
    workerId,
    version: '1',
    revision: 'unknown',
    concurrency: 2,
    queues: new Map([[putOff.queue, 1]]),
    lambdaQueues: [],
    waitSeconds: WAIT_SECONDS,
    leaseSeconds: LEASE_SECONDS,
    drainTimeoutSeconds: 25,
    abortGraceSeconds: 5,
    unknownTaskPatienceSeconds: 600,
    healthHost: '127.0.0.1',
    healthPort: 1,
  };
}
