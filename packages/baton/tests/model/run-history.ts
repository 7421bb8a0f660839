import { setTimeout as sleep } from 'node:timers/promises';
import { chain } from 'baton-tasks';
import { createLogger } from 'baton-tasks/service';
import { createLambdaConsumer, QueueUrls, StoreTracker, TaskClient, TaskStore } from 'baton-tasks/tooling';
import { Worker } from 'baton-tasks/tooling/processes';
import { laterStepIds } from '../../src/send/flow-places.ts';
import { Random } from '../faults/random.ts';
import type { Fault, History, MessagePlan, Span, Step, WorkerPlan } from './history.ts';
import { Ledger } from './ledger.ts';
import { configOf, DRAIN_SECONDS, GRACE_SECONDS, LEASE_SECONDS, WAIT_SECONDS } from './model-config.ts';
import { ModelFunction } from './model-function.ts';
import type { ModelWorld } from './model-world.ts';
import { type Attributes, ModelSqs } from './model-sqs.ts';
import { ModelTable } from './model-table.ts';
import { bodyOf, implementationsFor, tracked } from './model-tasks.ts';
import { never } from './never.ts';
import { SqsClient } from './sqs-client.ts';
import { TableClient } from './table-client.ts';
import { VirtualTime } from './virtual-time.ts';

const SETTLING_TIMEOUT_MS = 1000;
const RECEIVE_TIMEOUT_MS = 7000;
/** The longest time that a request with a fault takes. */
const LONGEST_FAULT_MS = 10_500;
/** Drain, a poll's wait, and twice the time that a worker allows for releases and for the end of its polls. */
const LONGEST_STOP_MS = (DRAIN_SECONDS + WAIT_SECONDS) * 1000 + 10_500;
/** Drain, grace, and the time to settle and to store a tracked task's outcome on a slow network. */
const LONGEST_CALM_STOP_MS = (DRAIN_SECONDS + GRACE_SECONDS) * 1000 + 5000;
/** Two hours: after each of a hundred failed requests in a row a worker backs off for half a minute. */
const LONGEST_HISTORY_MS = 7_200_000;
const REPLACED_AFTER_MS = 500;

const logger = createLogger({ service: 'model', level: 'silent' });
const queueUrls = new QueueUrls('http://sqs/0/');

/** Runs real workers against the model in virtual time. Resolves to the broken promises; empty if all held. */
export function runHistory(history: History): Promise<readonly string[]> {
  const random = new Random(history.seed);
  const chance = Math.random;
  Math.random = () => random.below(2 ** 30) / 2 ** 30;
  return VirtualTime.during((time) => new Run(history, random, time).play()).finally(() => {
    Math.random = chance;
  });
}

/** A planned message with its id. Each run removes its first step. */
type Planned = Omit<MessagePlan, 'steps'> & { readonly id: string; readonly steps: Step[] };

class Run {
  readonly #history: History;
  readonly #time: VirtualTime;
  readonly #world: ModelWorld;
  readonly #plans: readonly Planned[];
  readonly #live = new Map<string, Worker>();
  readonly #concurrency = new Map<string, number>();
  #toSend = 0;
  /** Cancels in progress: their notices are sent when they end. */
  #toCancel = 0;
  readonly #wasPutBack = new Set<string>();
  readonly #faultsToCome: readonly Fault[];
  #requests = 0;
  #faults = 0;
  #lastFaultAtMs: number;
  #started = 0;
  #toEnd: number;

  constructor(history: History, random: Random, time: VirtualTime) {
    this.#history = history;
    this.#time = time;
    const sqs = new ModelSqs(random, history.staleHandles);
    const table = new ModelTable();
    const ledger = new Ledger({
      sqs,
      table,
      leaseSeconds: LEASE_SECONDS,
      leasesAbort: history.executor === 'local',
      fenced: history.staleHandles !== 'obeyed',
      longestStopMs: LONGEST_STOP_MS,
      longestCalmStopMs: LONGEST_CALM_STOP_MS,
      faults: () => this.#faults,
      storeAway: history.storeAway !== undefined,
      pauses: history.workers.some(({ pause }) => pause !== undefined),
    });
    const { latencyMs } = history;
    const nextFault = (): Fault => this.#nextFault();
    const storeAnswers = (): boolean => !isIn(history.storeAway, time.nowMs);
    this.#world = {
      sqs,
      table,
      ledger,
      random,
      leaseSeconds: LEASE_SECONDS,
      latencyMs,
      nextFault,
      storeAnswers,
    };
    this.#faultsToCome = history.faults.flatMap(({ fault, requests }) => Array<Fault>(requests).fill(fault));
    this.#plans = history.messages.map((plan, index) => ({
      ...plan,
      id: `t${index}`,
      steps: [...plan.steps],
    }));
    const { storeAway } = history;
    this.#lastFaultAtMs = storeAway ? storeAway.fromMs + storeAway.forMs : -Infinity;
    this.#toEnd = history.workers.filter(({ end }) => end).length;
  }

  async play(): Promise<readonly string[]> {
    const { sqs, ledger } = this.#world;
    this.#toSend = this.#plans.length;
    sqs.onDeadLetter = (body, attributes) => {
      ledger.setAside(body, attributes['baton.reason']?.StringValue);
      this.#putBack(body, attributes);
    };
    for (const plan of this.#plans) {
      setTimeout(() => {
        void this.#send(plan).finally(() => (this.#toSend -= 1));
      }, plan.sentAtMs);
    }
    for (const plan of this.#history.workers) this.#start(plan);
    const { clockSet } = this.#history;
    if (clockSet) setTimeout(() => this.#time.setWallClock(clockSet.byMs), clockSet.atMs);
    const allEnded = (): boolean =>
      this.#toSend === 0 &&
      this.#toCancel === 0 &&
      this.#toEnd === 0 &&
      sqs.messages.every(({ deleted }) => deleted) &&
      ledger.books.allEnded;
    if (!(await this.#passUntil(allEnded, LONGEST_HISTORY_MS))) {
      const left = sqs.messages.filter(({ deleted }) => !deleted).map(({ body }) => body);
      ledger.broken(`these never ended: ${[...ledger.books.unended, ...left].join(', ')}`);
      return ledger.violations;
    }
    ledger.books.lookAtChains();
    ledger.books.lookAtAttempts();
    ledger.books.lookAtEnds();
    for (const name of this.#live.keys()) void this.#stop(name);
    await this.#passUntil(() => this.#live.size === 0, LONGEST_HISTORY_MS + LONGEST_STOP_MS);
    return ledger.violations;
  }

  /** Sends a planned message over a healthy network, and cancels its task if planned. */
  async #send(plan: Planned): Promise<void> {
    const { sqs, ledger } = this.#world;
    const { id: taskId, is, cancelledAtMs } = plan;
    if (is !== 'tracked' && is !== 'chain') return void sqs.send(bodyOf(plan, taskId));
    const calm = { ...this.#world, nextFault: () => 'none' as const, storeAnswers: () => true };
    const store = new TaskStore({
      documents: new TableClient(calm, SETTLING_TIMEOUT_MS).client,
      table: 'tasks',
    });
    const client = new SqsClient(calm, 'sender', SETTLING_TIMEOUT_MS).client;
    const tasks = new TaskClient({ sqs: client, queueUrls, source: 'model', records: store });
    const handle =
      is === 'tracked'
        ? await tasks.send(tracked, { of: 1 }, { taskId })
        : await tasks.start(chain([tracked, tracked, tracked]), { of: 1 }, { taskId });
    ledger.books.sent(is === 'tracked' ? [taskId] : stepsOf(taskId));
    if (cancelledAtMs === undefined) return;
    setTimeout(() => {
      this.#toCancel += 1;
      void handle.cancel().finally(() => (this.#toCancel -= 1));
    }, cancelledAtMs);
  }

  /** Redrives the first dead letter of a task if planned. */
  #putBack(body: string, attributes: Attributes): void {
    const { sqs, ledger } = this.#world;
    const plan = this.#plans.find(({ id, is }) => is === 'tracked' && body.includes(`"id":"${id}"`));
    if (!plan?.putBack || this.#wasPutBack.has(plan.id)) return;
    const { as, afterMs } = plan.putBack;
    this.#wasPutBack.add(plan.id);
    this.#toSend += 1;
    setTimeout(() => {
      ledger.books.putBack(plan.id);
      ledger.crashBooks.restarts(plan.id);
      sqs.send(body, 0, as === 'letter' ? attributes : {});
      this.#toSend -= 1;
    }, afterMs);
  }

  #passUntil(done: () => boolean, limitMs: number): Promise<boolean> {
    const { ledger } = this.#world;
    return this.#time.pass(
      () => done() || ledger.violations.length > 0,
      limitMs,
      () => {
        ledger.look();
        for (const [name, slots] of this.#concurrency) {
          if (ledger.runningAt(name) > slots)
            ledger.broken(`${name} runs more tasks than its ${slots} slots`);
        }
      },
    );
  }

  #nextFault(): Fault {
    const fault = this.#faultsToCome[this.#requests] ?? 'none';
    this.#requests += 1;
    if (fault !== 'none') {
      this.#faults += 1;
      this.#lastFaultAtMs = Math.max(this.#lastFaultAtMs, this.#time.nowMs);
    }
    return fault;
  }

  #start({ concurrency, end, pause }: WorkerPlan): void {
    const name = `w${(this.#started += 1)}`;
    const { ledger } = this.#world;
    const receiving = new SqsClient(this.#world, name, RECEIVE_TIMEOUT_MS);
    const settling = new SqsClient(this.#world, name, SETTLING_TIMEOUT_MS);
    const documents = new TableClient(this.#world, SETTLING_TIMEOUT_MS);
    const lambda = this.#function(name);
    const local = this.#history.executor === 'local';
    const connections = [receiving, settling, documents, lambda];
    let goesOnAtMs = 0;
    const crash = (): void => {
      if (!this.#live.delete(name)) return;
      for (const connection of connections) connection.cut();
      ledger.crashes(name);
      this.#replace(concurrency);
    };
    const awake = async (): Promise<void> => {
      const leftMs = goesOnAtMs - this.#time.nowMs;
      if (leftMs > 0) await sleep(leftMs);
      if (ledger.hasCrashed(name)) await never();
    };
    const worker = new Worker({
      processGuard: 'off',
      config: configOf(name, concurrency, local),
      implementations: implementationsFor(name, (taskId) => this.#nextStep(taskId), ledger, {
        kill: (taskId) => {
          if (!this.#live.has(name)) return;
          ledger.killedBy(taskId);
          this.#toEnd += 1;
          crash();
        },
        awake,
      }),
      logger,
      connections: {
        receiving: receiving.client,
        settling: settling.client,
        sending: settling.client,
        lambda: lambda.client,
        documents: documents.client,
      },
    });
    this.#live.set(name, worker);
    if (local) this.#concurrency.set(name, concurrency);
    worker.start();
    if (pause)
      setTimeout(() => {
        goesOnAtMs = this.#time.nowMs + pause.forMs;
        this.#lastFaultAtMs = Math.max(this.#lastFaultAtMs, goesOnAtMs);
        for (const connection of [receiving, settling, documents]) connection.pauseUntil(goesOnAtMs);
      }, pause.fromMs);
    if (!end) return;
    setTimeout(() => {
      // A handler has killed the worker already, and another worker has replaced it
      if (!this.#live.has(name)) this.#toEnd -= 1;
      else if (end.by !== 'crash') {
        void this.#stop(name, pause).then(() => this.#replace(concurrency));
        if (end.by === 'second signal') void worker.stop();
      } else {
        crash();
      }
    }, end.atMs);
  }

  #replace(concurrency: number): void {
    setTimeout(() => {
      this.#toEnd -= 1;
      this.#start({ concurrency, end: undefined, pause: undefined });
    }, REPLACED_AFTER_MS);
  }

  async #stop(name: string, pause?: Span): Promise<void> {
    const { ledger } = this.#world;
    const faults = this.#faults;
    const { ended } = ledger;
    const startedAtMs = this.#time.nowMs;
    await this.#live.get(name)?.stop();
    // A handler has killed the worker in the meantime
    if (!this.#live.has(name)) return;
    const calm = this.#lastFaultAtMs < startedAtMs - LONGEST_FAULT_MS;
    const tookMs = this.#time.nowMs - startedAtMs - (pause?.forMs ?? 0);
    ledger.stopped(name, tookMs, calm, faults, ended);
    this.#live.delete(name);
  }

  /** The next planned step of a task. The tasks of a chain share the plan. */
  #nextStep(taskId: string): Step | undefined {
    return this.#plans
      .find(({ id, is }) => id === taskId || (is === 'chain' && stepsOf(id).includes(taskId)))
      ?.steps.shift();
  }

  /** The function of one worker. It is called only if the executor is `lambda`. */
  #function(worker: string): ModelFunction {
    const name = `function of ${worker}`;
    const { ledger, nextFault } = this.#world;
    const sqs = new SqsClient(this.#world, name, SETTLING_TIMEOUT_MS).client;
    const store = new TaskStore({
      documents: new TableClient(this.#world, SETTLING_TIMEOUT_MS).client,
      table: 'tasks',
    });
    const { forward } = new TaskClient({ sqs, queueUrls, source: 'model', records: store });
    const consumer = createLambdaConsumer({
      sqs,
      tracker: new StoreTracker({ store, forward, leaseSeconds: LEASE_SECONDS, logger }),
      queueUrls,
      send: (async () => ({ taskId: '' })) as never,
      logger,
      worker: { id: name, version: '1' },
      implementations: implementationsFor(name, (taskId) => this.#nextStep(taskId), ledger, {
        // A function that kills itself ends only its invocation. Lambda responds with an error
        kill: () => {
          throw new Error('killed by plan');
        },
        awake: async () => undefined,
      }),
      unknownTaskPatienceSeconds: 8,
    });
    return new ModelFunction(consumer, nextFault);
  }
}

function isIn(span: Span | undefined, atMs: number): boolean {
  return span !== undefined && atMs >= span.fromMs && atMs < span.fromMs + span.forMs;
}

/** The task ids of a chain, from the id of its first task. */
function stepsOf(taskId: string): [string, string, string] {
  const [second, third] = laterStepIds(taskId, 3);
  return [taskId, second ?? '', third ?? ''];
}
