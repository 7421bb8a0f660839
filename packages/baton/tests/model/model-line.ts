import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './history.ts';
import type { ModelWorld } from './model-world.ts';
import { never } from './never.ts';

/** Carries a request out at a service, and returns the response. */
export type CarryOut<Answer> = (fault: Fault) => Promise<Answer>;

/** One process's connection to one service, over a network with faults. */
export class ModelLine {
  readonly #world: ModelWorld;
  readonly #timeoutMs: number;
  #cut = false;
  #goesOnAtMs = 0;

  /** @param timeoutMs - how long the process waits for a response */
  constructor(world: ModelWorld, timeoutMs: number) {
    this.#world = world;
    this.#timeoutMs = timeoutMs;
  }

  /** Cuts the connection because the process has crashed: it sends no requests and gets no responses. */
  cut(): void {
    this.#cut = true;
  }

  /** Whether the process was ever paused. */
  get paused(): boolean {
    return this.#goesOnAtMs > 0;
  }

  /** Pauses the process until a point in time: it sends no requests and reads no responses. */
  pauseUntil(untilMs: number): void {
    this.#goesOnAtMs = untilMs;
  }

  /** Makes a request with a fault. A request that was sent before a crash still arrives. */
  async request<Answer>(carryOut: CarryOut<Answer>, fault: Fault): Promise<Answer> {
    await this.#awake();
    if (this.#cut) return never();
    try {
      const answer = await this.#through(carryOut, fault);
      await this.#awake();
      return this.#cut ? await never() : answer;
    } catch (error) {
      await this.#awake();
      if (this.#cut) return await never();
      throw error;
    }
  }

  async #awake(): Promise<void> {
    const leftMs = this.#goesOnAtMs - performance.now();
    if (leftMs > 0) await sleep(leftMs);
  }

  async #through<Answer>(carryOut: CarryOut<Answer>, fault: Fault): Promise<Answer> {
    const { leaseSeconds, latencyMs, random, sqs } = this.#world;
    await sleep(random.below(latencyMs));
    switch (fault) {
      case 'none':
      case 'twice':
      case 'failed entries':
        break;
      case 'refused':
        throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
      case 'lost request':
        return this.#timeOut();
      case 'late request':
        void sleep(this.#timeoutMs + random.below(3000))
          .then(() => carryOut('none'))
          .catch(() => undefined);
        return this.#timeOut();
      case 'lost reply':
        void carryOut(fault).catch(() => undefined);
        return this.#timeOut();
      case 'reappear':
        sqs.reappear();
        break;
      case 'slow reply': {
        const slow = await carryOut(fault);
        const takesMs = random.below(leaseSeconds * 500);
        if (takesMs > this.#timeoutMs) return this.#timeOut();
        await sleep(takesMs);
        return slow;
      }
    }
    const answer = await carryOut(fault);
    await sleep(random.below(latencyMs));
    return answer;
  }

  async #timeOut(): Promise<never> {
    await sleep(this.#timeoutMs);
    throw Object.assign(new Error('no answer'), { name: 'TimeoutError' });
  }
}
