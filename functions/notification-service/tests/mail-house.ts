import { ChangeMessageVisibilityBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { type Notification, sendNotification } from '@baton/common/contracts/notifications';
import {
  createLogger,
  createTrackedConsumer,
  type Logger,
  type Service,
  type TaskClient,
  type TaskStore,
} from 'baton-tasks/service';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { EventSource } from 'baton-dev/testing/event-source';
import { MailServer } from '@baton/tests/mail-server';
import { notificationTasks } from '../deliver-notification.ts';
import { outbox } from '../outbox.ts';
import { SmtpChannel, type SmtpPatience } from '../smtp-channel.ts';
import { NotificationStore } from '../store.ts';

/** Whom the mails of these tests go to. */
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
/** Who gets mails, what is in them and how to log in stays out of the log, whatever happens. */
const SECRETS = [RECIPIENT, WRONG_PASSWORD, 'Your parcel', 'xxxx'];
const from = { name: 'The Shop', address: 'shop@shop.example', domain: 'shop.example' };

/** The service's consumer in this process, with a queue, a table and an SMTP server of its own. */
export class MailHouse {
  server: MailServer;
  readonly store: TaskStore;
  readonly notifications: NotificationStore;
  readonly tasks: TaskClient;
  /** The lines that were logged. */
  readonly log: string[] = [];
  /** For how many seconds messages were hidden, one after the other. */
  readonly rests: number[] = [];
  readonly #backends: Backends;
  readonly #logger: Logger;
  readonly #channels: SmtpChannel[] = [];

  private constructor(backends: Backends, server: MailServer) {
    const { documents, stage } = backends;
    this.#backends = backends;
    this.server = server;
    this.#logger = createLogger({ service: 'tests', to: { write: (line) => void this.log.push(line) } });
    this.store = backends.taskStore;
    this.notifications = new NotificationStore(documents, `baton-${stage}-notifications`, this.#logger);
    this.tasks = backends.tasks;
  }

  /** Starts one. */
  static async start(): Promise<MailHouse> {
    const backends = await startBackends(['functions/notification-service']);
    return new MailHouse(backends, await MailServer.start());
  }

  /** Stops it all. @throws Error when the log holds what it must not */
  async stop(): Promise<void> {
    for (const channel of this.#channels) channel.close();
    await this.server.stop();
    await this.#backends.stop();
    const told = SECRETS.filter((secret) => this.said(secret) > 0);
    if (told.length > 0) throw new Error(`The log tells of ${told.join(', ')}:\n${this.log.join('')}`);
  }

  /** A new channel to the SMTP server, as a new process has it. */
  channel(patience: Partial<SmtpPatience> = {}, url = this.server.url): SmtpChannel {
    const channel = new SmtpChannel({ url, from, logger: this.#logger, patience });
    this.#channels.push(channel);
    return channel;
  }

  /** The service's consumer with such a channel, and what feeds it from its queue. */
  consumer(patience: Partial<SmtpPatience> = {}, url = this.server.url): EventSource {
    const out = outbox(this.#logger);
    const channels = { EMAIL: this.channel(patience, url), SMS: out, PUSH: out };
    const { notifications } = this;
    const consume = createTrackedConsumer(this.#service(), notificationTasks({ notifications, channels }));
    return new EventSource(this.#backends, 'notifications', consume);
  }

  /** Sends the tasks of so many mails to one address, n-0 and so on. */
  async sendMails(count: number, recipient = RECIPIENT): Promise<string[]> {
    const ids = Array.from({ length: count }, (_, index) => `n-${index}`);
    await Promise.all(
      ids.map((taskId) => this.tasks.send(sendNotification, { ...mail, recipient }, { taskId })),
    );
    return ids;
  }

  /** How many of the tasks have used up how many attempts. */
  async attemptsOf(ids: readonly string[]): Promise<Record<number, number>> {
    const counts: Record<number, number> = {};
    for (const row of await this.store.readAll(ids)) counts[row.attempts] = (counts[row.attempts] ?? 0) + 1;
    return counts;
  }

  /** How many lines were logged with that text. */
  said(text: string): number {
    return this.log.filter((line) => line.includes(text)).length;
  }

  /** The service as `createService` makes it, with a log and a client of SQS that the tests watch. */
  #service(): Service {
    const { documents, queueUrls, tasksTable, environment } = this.#backends;
    // What follows from an end is sent to the same queue, and no mail
    const tasks = Object.create(this.tasks, { forward: { value: async () => undefined } }) as TaskClient;
    return {
      name: 'notification-service',
      version: '1',
      port: 0,
      config: {},
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
        this.rests.push(
          ...(command.input.Entries ?? []).map(({ VisibilityTimeout = 0 }) => VisibilityTimeout),
        );
      return this.#backends.sqs.send(command as never);
    };
    return { send } as unknown as SQSClient;
  }
}
