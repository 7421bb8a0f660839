import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { encodeEnvelope } from 'baton-tasks/tooling';
import { eventually } from 'baton-dev/testing/eventually';
import type { Deployment } from './deployment.ts';

/** Long, because an emulator polls idle queues about once a second, and has to start functions. */
export const PATIENCE_MS = 40_000;

/** A response of the deployed API. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** A message in a dead-letter queue. */
export interface SetAside {
  readonly body: string;
  readonly reason: string | undefined;
  readonly details: Record<string, unknown>;
}

/** A client of the deployed system that knows its URL and its queues. */
export class System {
  readonly #deployment: Deployment;

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  /** Sends a request to the deployed API. */
  async ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await fetch(this.#deployment.url + path, {
      method,
      headers: { ...json, ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: JSON.parse(text) as Answer['body'] };
  }

  /** The resource at a path, once it has this status. */
  when(path: string, status: string): Promise<Record<string, unknown>> {
    const look = async () => {
      const { body } = await this.ask('GET', path);
      return body['status'] === status && body;
    };
    return eventually(`${path} is ${status}`, look, PATIENCE_MS);
  }

  /** Sends a body to a queue. `queue` is its name in contracts. */
  async send(queue: string, body: string): Promise<void> {
    const QueueUrl = this.#deployment.queueUrls.of(queue);
    await this.#deployment.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body }));
  }

  /** Sends a task to a queue without any check. */
  async sendTask(queue: string, task: string, taskId: string, data: unknown = {}): Promise<void> {
    const time = new Date().toISOString();
    await this.send(queue, encodeEnvelope({ taskId, task, source: 'tests', time, trace: undefined, data }));
  }

  /** The dead letter of a queue whose body contains a text, once it arrives. */
  async deadLetter(queue: string, text: string): Promise<SetAside> {
    const QueueUrl = this.#deployment.queueUrls.deadLettersOf(queue);
    const look = async (): Promise<SetAside | undefined> => {
      const receive = new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: 1,
        MessageAttributeNames: ['All'],
      });
      const { Messages = [] } = await this.#deployment.sqs.send(receive);
      const found = Messages.find(({ Body = '' }) => Body.includes(text));
      if (!found) return undefined;
      const { 'baton.reason': reason, 'baton.details': details } = found.MessageAttributes ?? {};
      return {
        body: found.Body ?? '',
        reason: reason?.StringValue,
        details: JSON.parse(details?.StringValue ?? '{}') as Record<string, unknown>,
      };
    };
    return eventually(`a dead letter of ${queue} with ${text}`, look, PATIENCE_MS);
  }
}
