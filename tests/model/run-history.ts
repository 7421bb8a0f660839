import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createLambdaConsumer } from '@baton/common/queue/lambda-consumer';
import { QueueUrls } from '@baton/common/queue/queue-urls';
import { createLogger } from '@baton/common/telemetry/logger';
import type { WorkerConfig } from '@baton/worker/config';
import { Worker } from '@baton/worker/worker';
import { Random } from '../faults/random.ts';
import type { Fault, History, Step, WorkerPlan } from './history.ts';
import { Ledger } from './ledger.ts';
import { ModelFunction } from './model-function.ts';
import { ModelConnection, type ModelWorld } from './model-network.ts';
import { ModelSqs } from './model-sqs.ts';
import { bodyOf, implementationsFor, work } from './model-tasks.ts';
import { VirtualTime } from './virtual-time.ts';

/** No task asks for a rest of this length, so what hides a message for so long renews its lease. */
const LEASE_SECONDS = 6.5;
const WAIT_SECONDS = 2;
const DRAIN_SECONDS = 3;
const GRACE_SECONDS = 1;
const SETTLING_TIMEOUT_MS = 1000;
const RECEIVE_TIMEOUT_MS = 7000;
/** For so long a request that goes wrong may be under way. */
const LONGEST_FAULT_MS = 10_500;
/** Drain, a poll's wait, and twice what a worker gives itself to release and to end its polls. */
const LONGEST_STOP_MS = (DRAIN_SECONDS + WAIT_SECONDS) * 1000 + 10_500;
const LONGEST_CALM_STOP_MS = (DRAIN_SECONDS + GRACE_SECONDS) * 1000 + 2500;
/** Two hours: a hundred requests that fail in a row rest for half a minute each. */
const LONGEST_HISTORY_MS = 7_200_000;
const REPLACED_AFTER_MS = 500;

const logger = createLogger({ service: 'model', level: 'silent' });
const queueUrls = new QueueUrls('http://sqs/0/');

/** No task of these histories is tracked. */
const NO_TABLE = { destroy: () => undefined } as unknown as DynamoDBDocumentClient;

/** Runs real workers against the model in virtual time. Resolves to the promises that were broken; none is good. */
export function runHistory(history: History): Promise<readonly string[]> {
  const random = new Random(history.seed);
  const chance = Math.random;
  Math.random = () => random.below(2 ** 30) / 2 ** 30;
  return VirtualTime.during((time) => new Run(history, random, time).play()).finally(() => {
    Math.random = chance;
  });
}

class Run {
  readonly #history: History;
  readonly #time: VirtualTime;
  readonly #world: ModelWorld;
  readonly #messages: readonly { readonly id: string; readonly body: string; readonly steps: Step[] }[];
  readonly #live = new Map<string, Worker>();
  readonly #concurrency = new Map<string, number>();
  readonly #faultsToCome: readonly Fault[];
  #requests = 0;
  #faults = 0;
  #lastFaultAtMs = -Infinity;
  #started = 0;
  #toEnd: number;

  constructor(history: History, random: Random, time: VirtualTime) {
    this.#history = history;
    this.#time = time;
    const sqs = new ModelSqs(random, history.staleHandles);
    const ledger = new Ledger({
      sqs,
      leaseSeconds: LEASE_SECONDS,
      leasesAbort: history.executor === 'local',
      fenced: history.staleHandles !== 'obeyed',
      longestStopMs: LONGEST_STOP_MS,
      longestCalmStopMs: LONGEST_CALM_STOP_MS,
      faults: () => this.#faults,
    });
    const { latencyMs } = history;
    const nextFault = (): Fault => this.#nextFault();
    this.#world = { sqs, ledger, random, leaseSeconds: LEASE_SECONDS, latencyMs, nextFault };
    this.#faultsToCome = history.faults.flatMap(({ fault, requests }) => Array<Fault>(requests).fill(fault));
    this.#messages = history.messages.map((plan, index) => {
      const id = `m${index}`;
      return { id, body: bodyOf(plan, id), steps: [...plan.steps] };
    });
    this.#toEnd = history.workers.filter(({ end }) => end).length;
  }

  async play(): Promise<readonly string[]> {
    const { sqs, ledger } = this.#world;
    const { messages, workers } = this.#history;
    let toSend = messages.length;
    for (const [index, { sentAtMs }] of messages.entries()) {
      const { id = '', body = '' } = this.#messages[index] ?? {};
      setTimeout(() => {
        sqs.send(id, body);
        toSend -= 1;
      }, sentAtMs);
    }
    for (const plan of workers) this.#start(plan);
    const allEnded = (): boolean =>
      toSend === 0 && this.#toEnd === 0 && this.#messages.every(({ id }) => sqs.isDeleted(id));
    if (!(await this.#passUntil(allEnded, LONGEST_HISTORY_MS))) {
      const left = this.#messages.filter(({ id }) => !sqs.isDeleted(id)).map(({ id }) => id);
      ledger.broken(`never ended: ${left.join(', ')}`);
      return ledger.violations;
    }
    for (const name of this.#live.keys()) void this.#stop(name);
    await this.#passUntil(() => this.#live.size === 0, LONGEST_HISTORY_MS + LONGEST_STOP_MS);
    return ledger.violations;
  }

  #passUntil(done: () => boolean, limitMs: number): Promise<boolean> {
    const { ledger } = this.#world;
    return this.#time.pass(
      () => done() || ledger.violations.length > 0,
      limitMs,
      () => {
        ledger.look(this.#messages);
        for (const [name, slots] of this.#concurrency) {
          if (ledger.runningAt(name) > slots) ledger.broken(`${name} runs more than its ${slots} slots`);
        }
      },
    );
  }

  #nextFault(): Fault {
    const fault = this.#faultsToCome[this.#requests] ?? 'none';
    this.#requests += 1;
    if (fault !== 'none') {
      this.#faults += 1;
      this.#lastFaultAtMs = this.#time.nowMs;
    }
    return fault;
  }

  #start({ concurrency, end }: WorkerPlan): void {
    const name = `w${(this.#started += 1)}`;
    const { ledger } = this.#world;
    const receiving = new ModelConnection(this.#world, name, RECEIVE_TIMEOUT_MS);
    const settling = new ModelConnection(this.#world, name, SETTLING_TIMEOUT_MS);
    const lambda = this.#function(name);
    const local = this.#history.executor === 'local';
    const worker = new Worker({
      config: configOf(name, concurrency, local),
      implementations: implementationsFor(name, (taskId) => this.#nextStep(taskId), ledger),
      logger,
      connections: {
        receiving: receiving.client,
        settling: settling.client,
        lambda: lambda.client,
        documents: NO_TABLE,
      },
    });
    this.#live.set(name, worker);
    if (local) this.#concurrency.set(name, concurrency);
    worker.start();
    if (!end) return;
    setTimeout(() => {
      if (end.by !== 'crash') {
        void this.#stop(name).then(() => this.#replace(concurrency));
        if (end.by === 'hurried stop') void worker.stop();
      } else {
        for (const connection of [receiving, settling, lambda]) connection.cut();
        ledger.crashes(name);
        this.#live.delete(name);
        this.#replace(concurrency);
      }
    }, end.atMs);
  }

  #replace(concurrency: number): void {
    setTimeout(() => {
      this.#toEnd -= 1;
      this.#start({ concurrency, end: undefined });
    }, REPLACED_AFTER_MS);
  }

  async #stop(name: string): Promise<void> {
    const { ledger } = this.#world;
    const faults = this.#faults;
    const { ended } = ledger;
    const startedAtMs = this.#time.nowMs;
    await this.#live.get(name)?.stop();
    const calm = this.#lastFaultAtMs < startedAtMs - LONGEST_FAULT_MS;
    ledger.stopped(name, this.#time.nowMs - startedAtMs, calm, faults, ended);
    this.#live.delete(name);
  }

  #nextStep(taskId: string): Step | undefined {
    return this.#messages.find(({ id }) => id === taskId)?.steps.shift();
  }

  /** The function of one worker, or nothing that is ever called. */
  #function(worker: string): ModelFunction {
    const name = `function of ${worker}`;
    const { ledger, nextFault } = this.#world;
    const consumer = createLambdaConsumer({
      sqs: new ModelConnection(this.#world, name, SETTLING_TIMEOUT_MS).client,
      queueUrls,
      send: (async () => ({ taskId: '' })) as never,
      logger,
      worker: { id: name, version: '1' },
      implementations: implementationsFor(name, (taskId) => this.#nextStep(taskId), ledger),
      unknownTaskPatienceSeconds: 8,
    });
    return new ModelFunction(consumer, nextFault);
  }
}

function configOf(workerId: string, concurrency: number, local: boolean): WorkerConfig {
  const target = { queue: work.queue, functionName: 'model', batchSize: 3, maximumConcurrency: 2 };
  return {
    logLevel: 'silent',
    queueUrlPrefix: 'http://sqs/0/',
    tasksTable: 'tasks',
    region: 'us-east-1',
    workerId,
    version: '1',
    concurrency,
    queues: new Map(local ? [[work.queue, 1]] : []),
    lambdaQueues: local ? [] : [target],
    waitSeconds: WAIT_SECONDS,
    leaseSeconds: LEASE_SECONDS,
    drainTimeoutSeconds: DRAIN_SECONDS,
    abortGraceSeconds: GRACE_SECONDS,
    unknownTaskPatienceSeconds: 8,
    healthHost: '127.0.0.1',
    healthPort: 1,
  };
}
