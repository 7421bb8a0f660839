import { setTimeout as sleep } from 'node:timers/promises';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandOutput,
  type SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { Random } from '../faults/random.ts';
import type { Fault } from './history.ts';
import type { Ledger } from './ledger.ts';
import type { ModelSqs, Refusal } from './model-sqs.ts';
import { never } from './never.ts';

/** What the world between all processes and the broker is made of. */
export interface ModelWorld {
  readonly sqs: ModelSqs;
  readonly ledger: Ledger;
  readonly random: Random;
  readonly leaseSeconds: number;
  readonly latencyMs: number;
  /** What happens to the next request. */
  readonly nextFault: () => Fault;
}

interface Entry {
  readonly Id?: string | undefined;
  readonly ReceiptHandle?: string | undefined;
  readonly VisibilityTimeout?: number | undefined;
  readonly MessageBody?: string | undefined;
}

type Command =
  | ReceiveMessageCommand
  | ChangeMessageVisibilityBatchCommand
  | DeleteMessageBatchCommand
  | SendMessageBatchCommand;

/** One process's client of the model broker, over a network that loses, delays and repeats. */
export class ModelConnection {
  readonly #world: ModelWorld;
  readonly #process: string;
  readonly #timeoutMs: number;
  #cut = false;

  /** @param process - who calls, for the ledger */
  constructor(world: ModelWorld, process: string, timeoutMs: number) {
    this.#world = world;
    this.#process = process;
    this.#timeoutMs = timeoutMs;
  }

  /** In the place of an SDK client. */
  get client(): SQSClient {
    const send = (command: Command, options?: { abortSignal?: AbortSignal }): Promise<unknown> =>
      this.#send(command, options?.abortSignal);
    return { send, destroy: () => undefined } as unknown as SQSClient;
  }

  /** The process is no more: nothing that it asks for is heard, nothing is answered. */
  cut(): void {
    this.#cut = true;
  }

  async #send(command: Command, abortSignal?: AbortSignal): Promise<unknown> {
    if (this.#cut) return never();
    const { ledger, nextFault } = this.#world;
    const fault = nextFault();
    const answered = ledger.requested(this.#process, command);
    const answer = this.#through(command, fault).finally(answered);
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => {
      if (fault === 'none')
        ledger.broken(`${this.#process} cuts a poll short that would have ended by itself`);
      aborted.reject(new Error('aborted'));
    };
    abortSignal?.addEventListener('abort', abort, { once: true });
    try {
      const output = await (abortSignal ? Promise.race([answer, aborted.promise]) : answer);
      if (this.#cut) return await never();
      for (const { ReceiptHandle = '' } of (output as ReceiveMessageCommandOutput).Messages ?? [])
        ledger.delivered(this.#process, ReceiptHandle);
      return output;
    } catch (error) {
      if (this.#cut) return await never();
      throw error;
    } finally {
      abortSignal?.removeEventListener('abort', abort);
    }
  }

  async #through(command: Command, fault: Fault): Promise<unknown> {
    const { leaseSeconds, latencyMs, random, sqs } = this.#world;
    await sleep(random.below(latencyMs));
    switch (fault) {
      case 'none':
      case 'twice':
      case 'failed entries':
        break;
      case 'refused':
        throw new Error('ECONNREFUSED');
      case 'lost request':
        return this.#timeOut();
      case 'late request':
        void sleep(this.#timeoutMs + random.below(3000)).then(() => this.#carryOut(command, 'none'));
        return this.#timeOut();
      case 'lost reply':
        void this.#carryOut(command, fault).catch(() => undefined);
        return this.#timeOut();
      case 'reappear':
        sqs.reappear();
        break;
      case 'slow reply': {
        const slow = await this.#carryOut(command, fault);
        const takesMs = random.below(leaseSeconds * 500);
        if (takesMs > this.#timeoutMs) return this.#timeOut();
        await sleep(takesMs);
        return slow;
      }
    }
    const answer = await this.#carryOut(command, fault);
    await sleep(random.below(latencyMs));
    return answer;
  }

  async #timeOut(): Promise<never> {
    await sleep(this.#timeoutMs);
    throw new Error('TimeoutError');
  }

  async #carryOut(command: Command, fault: Fault): Promise<unknown> {
    // What was sent before the process died still arrives
    if (command instanceof ReceiveMessageCommand) return this.#receive(command.input, fault);
    const { Entries = [] } = command.input as { Entries?: readonly Entry[] };
    const carryOut = this.#carrierOf(command);
    const Successful: { Id?: string | undefined }[] = [];
    const Failed: object[] = [];
    for (const entry of Entries) {
      const broken = fault === 'failed entries' && this.#world.random.below(2) === 0;
      const refusal = broken ? 'InternalError' : carryOut(entry);
      if (fault === 'twice') carryOut(entry);
      if (refusal) Failed.push({ Id: entry.Id, Code: refusal, SenderFault: !broken });
      else Successful.push({ Id: entry.Id });
    }
    return { Successful, Failed };
  }

  #carrierOf(command: Exclude<Command, ReceiveMessageCommand>): (entry: Entry) => Refusal {
    const { sqs } = this.#world;
    if (command instanceof DeleteMessageBatchCommand)
      return ({ ReceiptHandle = '' }) => sqs.delete(ReceiptHandle);
    if (command instanceof ChangeMessageVisibilityBatchCommand)
      return ({ ReceiptHandle = '', VisibilityTimeout = 0 }) =>
        sqs.changeVisibility(ReceiptHandle, VisibilityTimeout);
    return ({ MessageBody = '' }) => {
      sqs.deadLetters.push(MessageBody);
      return undefined;
    };
  }

  async #receive(input: ReceiveMessageCommand['input'], fault: Fault): Promise<unknown> {
    const { sqs, ledger } = this.#world;
    const { MaxNumberOfMessages = 1, WaitTimeSeconds = 0, VisibilityTimeout = 30 } = input;
    if (fault === 'failed entries') throw new Error('InternalError');
    const again = fault === 'twice' ? sqs.receiveAgain(VisibilityTimeout) : [];
    for (const { messageId } of again) ledger.duplicated(messageId);
    const untilMs = Date.now() + WaitTimeSeconds * 1000;
    let deliveries = again;
    while (deliveries.length === 0) {
      deliveries = sqs.receive(MaxNumberOfMessages, VisibilityTimeout);
      if (deliveries.length > 0 || Date.now() >= untilMs) break;
      await this.#somethingVisible(untilMs);
    }
    const Messages = deliveries.map((delivery) => ({
      MessageId: delivery.messageId,
      ReceiptHandle: delivery.receiptHandle,
      Body: delivery.body,
      Attributes: {
        ApproximateReceiveCount: String(delivery.receiveCount),
        SentTimestamp: String(delivery.sentAtMs),
        ApproximateFirstReceiveTimestamp: String(delivery.firstReceivedAtMs),
      },
    }));
    return Messages.length > 0 ? { Messages } : {};
  }

  async #somethingVisible(untilMs: number): Promise<void> {
    const { sqs } = this.#world;
    const nextMs = Math.min(untilMs, sqs.nextVisibleAtMs ?? untilMs);
    const timer = new AbortController();
    const late = sleep(Math.max(1, nextMs - Date.now()), undefined, { signal: timer.signal }).catch(
      () => undefined,
    );
    await Promise.race([late, sqs.changed]);
    timer.abort();
  }
}
