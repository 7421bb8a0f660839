import { setTimeout as sleep } from 'node:timers/promises';
import { type InvokeCommand, type LambdaClient, TooManyRequestsException } from '@aws-sdk/client-lambda';
import type { LambdaConsumer } from 'baton-tasks/tooling';
import type { SQSEvent } from 'aws-lambda';
import type { Fault } from './history.ts';
import { never } from './never.ts';

const FUNCTION_TIMEOUT_MS = 25_000;
/** The part that every response of Lambda has. */
const ran = { ExecutedVersion: '$LATEST' };

/** Lambda with one function. Requests go over a network with faults. */
export class ModelFunction {
  readonly #consumer: LambdaConsumer;
  readonly #nextFault: () => Fault;
  #cut = false;

  constructor(consumer: LambdaConsumer, nextFault: () => Fault) {
    this.#consumer = consumer;
    this.#nextFault = nextFault;
  }

  /** A stand-in for an SDK client. */
  get client(): LambdaClient {
    const send = ({ input }: InvokeCommand): Promise<unknown> =>
      this.#invoke(input.Payload as unknown as string);
    return { send, destroy: () => undefined } as unknown as LambdaClient;
  }

  /** Records that the caller has crashed: the function runs on, but its response goes nowhere. */
  cut(): void {
    this.#cut = true;
  }

  async #invoke(payload: string): Promise<unknown> {
    if (this.#cut) return never();
    const fault = this.#nextFault();
    await sleep(10);
    if (fault === 'refused' || fault === 'lost request') throw new Error('ECONNREFUSED');
    if (fault === 'failed entries') throw new TooManyRequestsException({ message: 'slower', $metadata: {} });
    const running = this.#run(payload);
    if (fault === 'twice') void this.#run(payload);
    const answer = await running;
    if (this.#cut) return never();
    if (fault === 'lost reply') throw new Error('ECONNRESET');
    return fault === 'slow reply'
      ? { ...ran, FunctionError: 'Unhandled', Payload: Buffer.from('{}') }
      : answer;
  }

  async #run(payload: string): Promise<object> {
    const endsAtMs = performance.now() + FUNCTION_TIMEOUT_MS;
    const answer = this.#consumer(JSON.parse(payload) as SQSEvent, {
      getRemainingTimeInMillis: () => endsAtMs - performance.now(),
    });
    const answered = await Promise.race([answer, sleep(FUNCTION_TIMEOUT_MS)]);
    if (!answered)
      return { ...ran, FunctionError: 'Unhandled', Payload: Buffer.from('{"errorMessage":"timed out"}') };
    return { ...ran, Payload: Buffer.from(JSON.stringify(answered)) };
  }
}
