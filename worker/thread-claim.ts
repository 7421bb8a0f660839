import type { MessagePort } from 'node:worker_threads';
import type { KeptEffects } from '@baton/common/queue/effect';
import { fromPlain } from '@baton/common/queue/plain-error';
import type { Claim, Progress } from '@baton/common/queue/tracking';
import type { FromThread, ToThread } from './thread-task.ts';

type Kept = { readonly result: unknown } | undefined;

/** The claim of a tracked task, seen from the thread that its handler runs in: the worker holds it. */
export class ThreadClaim implements KeptEffects {
  readonly #port: MessagePort;
  readonly #asked = new Map<number, PromiseWithResolvers<Kept>>();
  #asks = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (message: ToThread) => this.#answered(message));
  }

  /** Says how far the handler is. */
  readonly progress = (progress: Progress): void => this.#say({ kind: 'progress', progress });

  /** What an effect of an earlier attempt gave, if it was kept. */
  find(key: string): Promise<Kept> {
    return this.#ask((ask) => ({ kind: 'find-effect', ask, key }));
  }

  /** Keeps what an effect gave. @throws what the claim throws, and TypeError when it cannot be cloned */
  async keep(key: string, result: unknown): Promise<void> {
    await this.#ask((ask) => ({ kind: 'keep-effect', ask, key, result }));
  }

  #ask(question: (ask: number) => FromThread): Promise<Kept> {
    const ask = (this.#asks += 1);
    const answer = Promise.withResolvers<Kept>();
    this.#asked.set(ask, answer);
    this.#say(question(ask));
    return answer.promise;
  }

  #answered(message: ToThread): void {
    if (message.kind === 'abort') return;
    const answer = this.#asked.get(message.ask);
    this.#asked.delete(message.ask);
    if (message.kind === 'kept') answer?.resolve(message.kept);
    else answer?.reject(fromPlain(message.error));
  }

  #say(message: FromThread): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port between threads has no origin
    this.#port.postMessage(message);
  }
}

/** Does what a thread asks of its task's claim, and tells it what became of that. */
export async function answerAsk(
  message: Extract<FromThread, { kind: 'find-effect' | 'keep-effect' }>,
  claim: Claim,
): Promise<Kept> {
  if (message.kind === 'find-effect') return claim.find(message.key);
  await claim.keep(message.key, message.result);
  return undefined;
}
