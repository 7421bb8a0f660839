import { setTimeout as sleep } from 'node:timers/promises';
import { ChangeMessageVisibilityBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { type Notification, sendNotification } from '@baton/common/contracts/notifications';
import {
  createLogger,
  createTrackedConsumer,
  type Logger,
  type Secret,
  type Service,
  type TaskClient,
  type TaskStore,
} from 'baton-tasks/service';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { EventSource } from 'baton-dev/testing/event-source';
import { Retention } from 'baton-tasks/http';
import { MailServer } from './mail-server.ts';
import { notificationTasks } from '../deliver-notification.ts';
import { outbox } from '../outbox.ts';
import { SmtpChannel, type SmtpPatience } from '../smtp-channel.ts';
import { NotificationStore } from '../store.ts';

/** The recipient of the mails in these tests. */
export const RECIPIENT = 'customer@example.com';
/** A password that the server refuses. */
export const WRONG_PASSWORD = 'pass-word';
/** A mail of these tests. */
export const mail: Notification = {
  channel: 'EMAIL',
  recipient: RECIPIENT,
  subject: 'Your parcel',
  message: 'x'.repeat(9000),
};
/** Recipients, contents and passwords must never be in the log. */
const SECRETS = [RECIPIENT, WRONG_PASSWORD, 'Your parcel', 'xxxx'];
/** Shorter than by default, so that tests of cancellations wait less. */
const CLAIM_SECONDS = 6;
const from = { name: 'The Shop', address: 'shop@shop.example', domain: 'shop.example' };

/** The URL of an SMTP server, which never changes. */
export function serverAt(url: string): Secret<string> {
  return { value: async () => url, refused: () => undefined };
}

/** The service's consumer in this process, with a queue, a table and an SMTP server of its own. */
export class MailFixture {
  server: MailServer;
  readonly store: TaskStore;
  readonly notifications: NotificationStore;
  readonly tasks: TaskClient;
  /** The lines that were logged. */
  readonly log: string[] = [];
  /** The visibility timeouts that were set, in seconds, in their order. */
  readonly waits: number[] = [];
  readonly #backends: Backends;
  readonly #logger: Logger;
  readonly #channels: SmtpChannel[] = [];

  private constructor(backends: Backends, server: MailServer) {
    const { documents, stage } = backends;
    this.#backends = backends;
    this.server = server;
    this.#logger = createLogger({ service: 'tests', to: { write: (line) => void this.log.push(line) } });
    this.store = backends.taskStore;
    const retention = new Retention({ documents, days: 90 });
    this.notifications = new NotificationStore(documents, `baton-${stage}-notifications`, retention);
    this.tasks = backends.tasks;
  }

  /** Starts it all. */
  static async start(): Promise<MailFixture> {
    const backends = await startBackends(['functions/notification-service']);
    return new MailFixture(backends, await MailServer.start());
  }

  /** Stops it all. @throws Error when the log has one of the secrets */
  async stop(): Promise<void> {
    for (const channel of this.#channels) channel.close();
    await this.server.stop();
    await this.#backends.stop();
    const told = SECRETS.filter((secret) => this.said(secret) > 0);
    if (told.length > 0) throw new Error(`The log has ${told.join(', ')}:\n${this.log.join('')}`);
  }

  /** Makes a new channel to the SMTP server, as a new process does. */
  channel(patience: Partial<SmtpPatience> = {}, server = serverAt(this.server.url)): SmtpChannel {
    const channel = new SmtpChannel({ server, from, logger: this.#logger, patience });
    this.#channels.push(channel);
    return channel;
  }

  /** Starts the service's consumer on its queue, with a new channel. */
  consumer(patience: Partial<SmtpPatience> = {}, server = serverAt(this.server.url)): EventSource {
    const out = outbox(this.#logger);
    const channels = { EMAIL: this.channel(patience, server), SMS: out, PUSH: out };
    const { notifications } = this;
    const consume = createTrackedConsumer(this.#service(), notificationTasks({ notifications, channels }), {
      claimSeconds: CLAIM_SECONDS,
    });
    return new EventSource(this.#backends, 'notifications', consume);
  }

  /** Sends the tasks n-0, n-1 and so on, each a mail to the same address. */
  async sendMails(count: number, recipient = RECIPIENT): Promise<string[]> {
    const ids = Array.from({ length: count }, (_, index) => `n-${index}`);
    await Promise.all(
      ids.map((taskId) => this.tasks.send(sendNotification, { ...mail, recipient }, { taskId })),
    );
    return ids;
  }

  /** Resolves once the consumer has noticed a cancellation: it asks after each third of its claim. */
  async cancellationNoticed(): Promise<void> {
    await sleep(CLAIM_SECONDS * 500);
  }

  /** Counts the tasks by the attempts that they have used. */
  async attemptsOf(ids: readonly string[]): Promise<Record<number, number>> {
    const counts: Record<number, number> = {};
    for (const row of await this.store.readAll(ids)) counts[row.attempts] = (counts[row.attempts] ?? 0) + 1;
    return counts;
  }

  /** Counts the log lines with that text. */
  said(text: string): number {
    return this.log.filter((line) => line.includes(text)).length;
  }

  /** The service as `createService` makes it, with the log and the SQS client of these tests. */
  #service(): Service {
    const { documents, queueUrls, tasksTable, environment } = this.#backends;
    // Ends of tasks are not forwarded: they would arrive on the same queue among the mails
    const tasks = Object.create(this.tasks, { forward: { value: async () => undefined } }) as TaskClient;
    return {
      name: 'notification-service',
      version: '1',
      port: 0,
      config: {},
      secrets: {},
      contracts: [],
      logger: this.#logger,
      tasks,
      documents,
      taskStore: this.store,
      tasksTable,
      sqs: this.#watchedSqs(),
      queueUrls,
      unknownTaskPatienceSeconds: 0,
      environment,
    };
  }

  #watchedSqs(): SQSClient {
    const send = (command: object) => {
      if (command instanceof ChangeMessageVisibilityBatchCommand)
        this.waits.push(
          ...(command.input.Entries ?? []).map(({ VisibilityTimeout = 0 }) => VisibilityTimeout),
        );
      return this.#backends.sqs.send(command as never);
    };
    return { send } as unknown as SQSClient;
  }
}
