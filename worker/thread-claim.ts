import type { MessagePort } from 'node:worker_threads';
import type { KeptEffects, KnownEffect } from '@baton/common/queue/effect';
import { fromPlain } from '@baton/common/queue/plain-error';
import type { ThreadedAttempt } from '@baton/common/queue/threads';
import type { Progress } from '@baton/common/queue/tracking';
import type { FromThread, ThreadAsk, ToThread } from './thread-task.ts';

/** An answer that was under way for longer may be of before a pause of the whole process. */
const FRESH_MS = 1000;

/** An attempt, seen from the thread that its handler runs in: the worker holds its message and its claim. */
export class ThreadClaim implements KeptEffects {
  readonly #port: MessagePort;
  readonly #asked = new Map<number, PromiseWithResolvers<KnownEffect>>();
  #asks = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (message: ToThread) => this.#answered(message));
  }

  /** Says how far the handler is. */
  readonly progress = (progress: Progress): void => this.#say({ kind: 'progress', progress });

  /** What an effect of an earlier attempt gave, if it was kept. */
  find(key: string): Promise<KnownEffect> {
    return this.#ask({ kind: 'find-effect', key });
  }

  /** Notes that an effect begins. @throws what the claim throws */
  async begin(key: string): Promise<void> {
    await this.#ask({ kind: 'begin-effect', key });
  }

  /** Keeps what an effect gave. @throws what the claim throws, and TypeError when it cannot be cloned */
  async keep(key: string, result: unknown): Promise<void> {
    await this.#ask({ kind: 'keep-effect', key, result });
  }

  /** Asks the worker whether the attempt goes on, right before something leaves it. @throws AttemptOverError */
  readonly gate = async (what: string): Promise<void> => {
    for (let fresh = false; !fresh;) {
      const [askedAtMs, askedAtWallMs] = [performance.now(), Date.now()];
      await this.#ask({ kind: 'pass', what });
      fresh = performance.now() - askedAtMs < FRESH_MS && Date.now() - askedAtWallMs < FRESH_MS;
    }
  };

  #ask(question: ThreadAsk): Promise<KnownEffect> {
    const ask = (this.#asks += 1);
    const answer = Promise.withResolvers<KnownEffect>();
    this.#asked.set(ask, answer);
    this.#say({ ...question, ask });
    return answer.promise;
  }

  #answered(message: ToThread): void {
    if (message.kind === 'abort') return;
    const answer = this.#asked.get(message.ask);
    this.#asked.delete(message.ask);
    if (message.kind === 'answer') answer?.resolve(message.known);
    else answer?.reject(fromPlain(message.error));
  }

  #say(message: FromThread): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port between threads has no origin
    this.#port.postMessage(message);
  }
}

/** Does what a thread asks of its attempt, and tells it what became of that. */
export async function answerAsk(question: ThreadAsk, { gate, claim }: ThreadedAttempt): Promise<KnownEffect> {
  switch (question.kind) {
    case 'pass':
      await gate(question.what);
      return undefined;
    case 'find-effect':
      return claim?.find(question.key);
    case 'begin-effect':
      await claim?.begin(question.key);
      return undefined;
    case 'keep-effect':
      await claim?.keep(question.key, question.result);
      return undefined;
  }
}
