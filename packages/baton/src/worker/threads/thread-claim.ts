// The claim of an attempt whose handler runs in a thread: questions to the worker, and its answers.
import type { MessagePort } from 'node:worker_threads';
import type { GatedAttempt } from '../../run/attempt-end.ts';
import type { EffectResult, KeptEffects, KnownEffect } from '../../run/effects.ts';
import { AttemptOverError, OutcomeDecidedError } from '../../task/errors.ts';
import { fromJson, toJson } from '../../task/json-value.ts';
import { fromPlain } from '../../task/plain-error.ts';
import { cutProgress } from '../../task/progress.ts';
import type { ThreadedAttempt } from '../../run/threads.ts';
import type { Progress } from '../../task/progress.ts';
import type { FromThread, ThreadAsk, ThreadKnownEffect, ToThread } from './thread-task.ts';

/** An older answer may date from before a pause of the whole process. */
const FRESH_MS = 1000;

/** Asks the worker, which holds the message and the claim, on behalf of a handler in a thread. */
export class ThreadClaim implements KeptEffects {
  readonly #port: MessagePort;
  readonly #attempt: GatedAttempt;
  readonly #asked = new Map<number, PromiseWithResolvers<ThreadKnownEffect>>();
  #asks = 0;
  #isClosed = false;

  constructor(port: MessagePort, attempt: GatedAttempt) {
    this.#port = port;
    this.#attempt = attempt;
    port.on('message', (message: ToThread) => this.#answered(message));
  }

  /** Reports the handler's progress. @throws InvalidValueError as `cutProgress` does */
  progress(progress: Progress): void {
    this.#say({ kind: 'progress', progress: cutProgress(progress) });
  }

  /** Finds the kept result of an effect of an earlier attempt. */
  async find(key: string): Promise<KnownEffect> {
    const known = await this.#ask({ kind: 'find-effect', key }, `the effect ${key}`);
    return typeof known === 'object' ? { result: fromJson(known.json) } : known;
  }

  /** Records that an effect starts. @throws the errors of `Claim.begin` */
  async begin(key: string): Promise<void> {
    await this.#ask({ kind: 'begin-effect', key }, `the effect ${key}`);
  }

  /** Keeps the result of an effect. @throws the errors of `Claim.keep` */
  async keep(key: string, result: EffectResult): Promise<void> {
    await this.#ask({ kind: 'keep-effect', key, result }, `the effect ${key}`);
  }

  /** Asks the worker whether the attempt lasts, right before an effect or a send. @throws AttemptOverError if it is over */
  readonly gate = async (what: string): Promise<void> => {
    for (let fresh = false; !fresh;) {
      const [askedAtMs, askedAtWallMs] = [performance.now(), Date.now()];
      await this.#ask({ kind: 'pass', what }, what);
      fresh = performance.now() - askedAtMs < FRESH_MS && Date.now() - askedAtWallMs < FRESH_MS;
    }
  };

  /** Refuses all further questions, because the worker no longer listens. */
  close(): void {
    this.#isClosed = true;
  }

  async #ask(question: ThreadAsk, what: string): Promise<ThreadKnownEffect> {
    if (this.#isClosed) throw new AttemptOverError(what, this.#attempt, new OutcomeDecidedError());
    const ask = (this.#asks += 1);
    const answer = Promise.withResolvers<ThreadKnownEffect>();
    this.#asked.set(ask, answer);
    this.#say({ ...question, ask });
    return answer.promise;
  }

  #answered(message: ToThread): void {
    if (message.kind !== 'answer' && message.kind !== 'refusal') return;
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

/** Answers a thread's question on the worker's side. */
export async function answerAsk(
  question: ThreadAsk,
  { gate, claim }: Pick<ThreadedAttempt, 'gate' | 'claim'>,
): Promise<ThreadKnownEffect> {
  switch (question.kind) {
    case 'pass':
      await gate(question.what);
      return undefined;
    case 'find-effect': {
      const known = await claim?.find(question.key);
      return typeof known === 'object' ? { json: toJson(known.result) } : known;
    }
    case 'begin-effect':
      await claim?.begin(question.key);
      return undefined;
    case 'keep-effect':
      await claim?.keep(question.key, question.result);
      return undefined;
  }
}
