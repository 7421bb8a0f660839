import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { isFinal, type TaskState } from 'baton-tasks';

type Value = { readonly S?: string; readonly N?: string; readonly M?: Row };
type Row = Readonly<Record<string, Value>>;

/** The members of a DynamoDB request that the watch reads. */
interface Write {
  readonly TableName?: string;
  readonly Key?: Row;
  readonly Item?: Row;
  readonly UpdateExpression?: string;
  readonly ExpressionAttributeValues?: Row;
}

/** The tables to watch. */
export interface WatchedTables {
  readonly endpoint: string;
  /** The table of the task store. */
  readonly tasks: string;
  /** The table of the sink. */
  readonly effects: string;
}

/**
 * A proxy between workers and DynamoDB that records the writes that DynamoDB accepts. The final state of a row does not
 * show how often it was written.
 */
export class TableWatch {
  /** How often each result was written, by task id. */
  readonly results = new Map<string, number>();
  /** The task and the update of each write to a row after its task had ended, except of effects. */
  readonly changedAfterEnd: string[] = [];
  /** Tasks whose effect was kept after they had ended: a paused worker had begun it, and another one ended the task. */
  readonly keptAfterEnd: string[] = [];
  /** The attempts that ran an effect although their claim had told them its result. */
  readonly askedThoughKept: string[] = [];
  /** The attempts that ran an effect whose result an earlier attempt kept after their own claim. */
  readonly askedBeforeKept: string[] = [];
  readonly #tables: WatchedTables;
  readonly #server = createServer((asked, answering) => void this.#serve(asked, answering));
  readonly #agent = new Agent({ keepAlive: true });
  readonly #ended = new Set<string>();
  /** Tasks whose effect is kept. */
  readonly #kept = new Set<string>();
  /** The claims whose row had the effect already, each by task id and token. */
  readonly #told = new Set<string>();
  #begun = 0;

  private constructor(tables: WatchedTables) {
    this.#tables = tables;
  }

  /** Starts the proxy in front of the endpoint of `tables`. */
  static async start(tables: WatchedTables): Promise<TableWatch> {
    const watch = new TableWatch(tables);
    watch.#server.listen(0, '127.0.0.1');
    await once(watch.#server, 'listening');
    return watch;
  }

  /** The endpoint to give to workers. */
  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The tasks that have ended. */
  get ended(): ReadonlySet<string> {
    return this.#ended;
  }

  /** The number of attempts that have started. */
  get begun(): number {
    return this.#begun;
  }

  /** Breaks every connection and stops. */
  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await once(this.#server, 'close');
  }

  async #serve(asked: IncomingMessage, answering: ServerResponse): Promise<void> {
    try {
      const body = await buffer(asked);
      const target = String(asked.headers['x-amz-target']);
      const write = JSON.parse(body.toString()) as Write;
      this.#asks(target, write);
      const answer = await this.#forward(asked, body);
      const answered = await buffer(answer);
      if (answer.statusCode === 200) this.#took(target, write, answered);
      answering.writeHead(answer.statusCode ?? 500, answer.headers).end(answered);
    } catch {
      // The worker was killed, or the watch has stopped
      answering.destroy();
    }
  }

  async #forward(asked: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    const { method, headers, url = '/' } = asked;
    const forwarded = request(new URL(url, this.#tables.endpoint), { method, headers, agent: this.#agent });
    forwarded.end(body);
    const [answer] = (await once(forwarded, 'response')) as [IncomingMessage];
    return answer;
  }

  /** Records a request before DynamoDB answers. */
  #asks(target: string, { TableName, Item }: Write): void {
    if (!target.endsWith('.PutItem') || TableName !== this.#tables.effects) return;
    const [taskId = ''] = Item?.['effect']?.S?.split(':') ?? [];
    const attempt = `${taskId} ${Item?.['token']?.N}`;
    if (this.#told.has(attempt)) this.askedThoughKept.push(attempt);
    else if (this.#kept.has(taskId)) this.askedBeforeKept.push(attempt);
  }

  /** Records a write that DynamoDB has accepted. */
  #took(target: string, write: Write, answer: Buffer): void {
    const taskId = (write.Key ?? write.Item)?.['taskId']?.S;
    const writes = /\.(UpdateItem|PutItem|DeleteItem)$/.test(target);
    if (!writes || write.TableName !== this.#tables.tasks || taskId === undefined) return;
    const { UpdateExpression: update = '', ExpressionAttributeValues: values = {} } = write;
    const keeps = update.startsWith('SET effects.');
    if (this.#ended.has(taskId)) {
      if (keeps) this.keptAfterEnd.push(taskId);
      else this.changedAfterEnd.push(`${taskId} ${target} ${update}`);
    }
    if (keeps) this.#kept.add(taskId);
    if (values[':result'] && values[':state']) this.results.set(taskId, (this.results.get(taskId) ?? 0) + 1);
    const { Attributes: row } = JSON.parse(answer.toString()) as { Attributes?: Row };
    if (values[':claimId']) {
      this.#begun += 1;
      if (row?.['effects']?.M?.['count']) this.#told.add(`${taskId} ${row['token']?.N}`);
    }
    if (isFinal(row?.['state']?.S as TaskState)) this.#ended.add(taskId);
  }
}
