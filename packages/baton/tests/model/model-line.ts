import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './history.ts';
import type { ModelWorld } from './model-world.ts';
import { never } from './never.ts';

/** Does what a request asks of a service, and gives its answer. */
export type CarryOut<Answer> = (fault: Fault) => Promise<Answer>;

/** One process's line to one service, over a network that loses, delays and repeats. */
export class ModelLine {
  readonly #world: ModelWorld;
  readonly #timeoutMs: number;
  #cut = false;
  #goesOnAtMs = 0;

  /** @param timeoutMs - how long the process waits for an answer */
  constructor(world: ModelWorld, timeoutMs: number) {
    this.#world = world;
    this.#timeoutMs = timeoutMs;
  }

  /** The process is no more: nothing that it asks for is heard, nothing is answered. */
  cut(): void {
    this.#cut = true;
  }

  /** Whether the process has ever stood still. */
  get paused(): boolean {
    return this.#goesOnAtMs > 0;
  }

  /** The process stands still: it asks for nothing, and hears nothing, until then. */
  pauseUntil(untilMs: number): void {
    this.#goesOnAtMs = untilMs;
  }

  /** Makes a request, which meets `fault`. What was sent before the process died still arrives. */
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
