import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CreateTableCommand,
  DynamoDBClient,
  PutItemCommand,
  type AttributeValue,
} from '@aws-sdk/client-dynamodb';

const DAY_MS = 86_400_000;

/** A time some days ago, in whole seconds as DynamoDB keeps it. */
export function daysAgo(days: number): Date {
  return new Date(Math.floor((Date.now() - days * DAY_MS) / 1000) * 1000);
}

/** The earliest time to which it can restore. */
export const EARLIEST = daysAgo(29);
/** The latest one. */
export const LATEST = daysAgo(0.1);

/** What DynamoDB keeps of a table: its key, and its rows at the time of the restore. */
export interface KeptTable {
  readonly key: string;
  readonly rows: readonly Record<string, AttributeValue>[];
}

/**
 * An emulator of DynamoDB that can restore tables, as no emulator can by itself: it stands in front of one, answers what
 * concerns restores, and passes on everything else.
 */
export class RestoringDynamoDb {
  readonly kept = new Map<string, KeptTable>();
  /** The times that its copies are of, by their names. */
  readonly copies = new Map<string, Date>();
  /** The restores that were asked for. */
  readonly restores: Record<string, unknown>[] = [];
  readonly #endpoint: string;
  readonly #server: Server;
  readonly #client: DynamoDBClient;

  private constructor(endpoint: string) {
    this.#endpoint = endpoint;
    this.#client = new DynamoDBClient({
      endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** Starts it in front of an emulator. */
  static async start(endpoint: string): Promise<RestoringDynamoDb> {
    const started = new RestoringDynamoDb(endpoint);
    started.#server.listen(0, '127.0.0.1');
    await once(started.#server, 'listening');
    return started;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#client.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const body = Buffer.concat(chunks);
    const action = String(request.headers['x-amz-target']).split('.')[1];
    const input = JSON.parse(body.toString() || '{}') as Record<string, unknown>;
    if (action === 'DescribeContinuousBackups')
      return answer(response, this.#backups(String(input['TableName'])));
    if (action === 'RestoreTableToPointInTime') return answer(response, await this.#restore(input));
    const { host: _host, 'content-length': _length, connection: _connection, ...headers } = request.headers;
    const passed = await fetch(this.#endpoint, {
      method: 'POST',
      headers: headers as Record<string, string>,
      body,
    });
    const at = this.copies.get(String(input['TableName']));
    if (action === 'DescribeTable' && passed.ok && at) {
      const { Table } = (await passed.json()) as { Table: object };
      const RestoreSummary = { RestoreDateTime: at.getTime() / 1000, RestoreInProgress: false };
      return answer(response, { Table: { ...Table, RestoreSummary } });
    }
    response.writeHead(passed.status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(Buffer.from(await passed.arrayBuffer()));
  }

  #backups(table: string): object {
    const PointInTimeRecoveryDescription = this.kept.has(table)
      ? {
          PointInTimeRecoveryStatus: 'ENABLED',
          EarliestRestorableDateTime: EARLIEST.getTime() / 1000,
          LatestRestorableDateTime: LATEST.getTime() / 1000,
        }
      : { PointInTimeRecoveryStatus: 'DISABLED' };
    return { ContinuousBackupsDescription: { PointInTimeRecoveryDescription } };
  }

  async #restore(input: Record<string, unknown>): Promise<object> {
    this.restores.push(input);
    const { key, rows } = this.kept.get(String(input['SourceTableName'])) as KeptTable;
    const TableName = String(input['TargetTableName']);
    await this.#client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: key, AttributeType: 'S' }],
        KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
      }),
    );
    this.copies.set(TableName, new Date(Number(input['RestoreDateTime']) * 1000));
    for (const Item of rows) await this.#client.send(new PutItemCommand({ TableName, Item }));
    return { TableDescription: { TableName, TableStatus: 'CREATING' } };
  }
}

function answer(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
}
