import { setTimeout as sleep } from 'node:timers/promises';
import { implement } from 'baton-tasks';
import { createLogger } from 'baton-tasks/service';
import { Implementations, QueueUrls, TaskClient, TaskStore } from 'baton-tasks/tooling';
import { Worker, type WorkerConfig } from 'baton-tasks/tooling/processes';
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
/** The MessageRetentionPeriod of Baton's queues. */
const RETENTION_SECONDS = 604_800;
/** No delay has this length, so a change of visibility to it is a renewal. Long, because each timer costs time. */
const LEASE_SECONDS = 300.5;
/** Long, because the end of each idle poll is an event that costs time. */
const WAIT_SECONDS = 900;
const TIMEOUT_MS = 1000;
const WORK_MS = 3000;
const LATEST_MS = 2000;
const TWICE_IN = 50;

/** The trouble while a task waits for its start time. */
export type DelayTrouble = 'nothing' | 'workers replaced' | 'delivered twice';

/** A tracked task that is delayed for days, and the trouble during that time. */
export interface DelayPlan {
  readonly days: number;
  readonly trouble: DelayTrouble;
  readonly seed: number;
}

/** The result of a delayed task. */
export interface DelayRun {
  /** The broken promises; empty if all held. */
  readonly broken: readonly string[];
  /** How long after its start time it started. */
  readonly lateMs: number;
  /** How many times its message, or a copy, was hidden until later. */
  readonly hops: number;
  /** The number of messages that carried it, one after the other. */
  readonly messages: number;
}

const logger = createLogger({ service: 'model', level: 'silent' });
/** The delayed task. It has no listener, which would be a second task. */
const { onEnd: _told, ...delayed } = tracked;
const queueUrls = new QueueUrls('http://sqs/0/');

/** Lets real workers wait for the start time of a task, in virtual time. */
export function runDelay(plan: DelayPlan): Promise<DelayRun> {
  const random = new Random(plan.seed);
  const chance = Math.random;
  Math.random = () => random.below(2 ** 30) / 2 ** 30;
  return VirtualTime.during((time) => new Delay(plan, random, time).play()).finally(() => {
    Math.random = chance;
  });
}

/** The queue, which records for how long messages are hidden. */
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
      broken: [...(inTime ? [] : ['the task never ended']), ...this.#broken()],
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
      ...(runs.length === 1 && onTime ? [] : [`its runs were ${JSON.stringify(runs)}, expected one on time`]),
      ...this.#sqs.tooFar.map((seconds) => `hidden for ${seconds} s, longer than 12 h after its receive`),
      ...this.#sqs.forgotten.map((body) => `dropped by SQS at the end of its retention: ${body}`),
      ...this.#sqs.deadLetters.map((body) => `became a dead letter: ${body}`),
    ];
  }

  async #send(): Promise<void> {
    const calm = { ...this.#world, nextFault: () => 'none' as const };
    const documents = new TableClient(calm, TIMEOUT_MS).client;
    const records = new TaskStore({ documents, table: 'tasks' });
    const sqs = new SqsClient(calm, 'sender', TIMEOUT_MS).client;
    const tasks = new TaskClient({ sqs, queueUrls, source: 'model', records });
    const { taskId } = await tasks.send(delayed, { of: 1 }, { notBefore: new Date(this.#dueAtMs) });
    this.#world.ledger.books.sent([taskId]);
    const [first] = this.#sqs.messages;
    if (this.#plan.trouble !== 'delivered twice' || !first) return;
    // A send that was retried because its response was lost, and a copy that arrives in the last minute
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
    const work = implement(delayed, async ({ of }, { attempt, signal }) => {
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
   * Decides when and how a worker ends: within a day by a crash or a stop, but near the task's start time only by a
   * stop. A crash then would delay the task by a lease, which this test does not measure.
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
    queues: new Map([[delayed.queue, 1]]),
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
