// Lists of tracked tasks.
import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { ClockWatch } from '../time/clock-watch.ts';
import type { TaskState, TaskStatus } from '../task/task-status.ts';
import { faultOfRow } from '../send/row-shape.ts';
import { ALL_TASKS, rowOf, statusOf, type TaskRow } from './task-row.ts';

const ALL_INDEX = 'newest-first';
const NAME_INDEX = 'newest-first-by-name';
const STATE_INDEX = 'newest-first-by-state';
/** The most requests for one page. Several are needed if most rows have another state or have expired. */
const MAX_REQUESTS = 20;
/** The rows of one request if most of them may be filtered out. */
const FILTERED_ROWS = 100;

/** The most characters of a place and of an id. A broken row may have more. */
const MAX_PLACE = 200;
const MAX_ID = 128;

/** The schema of a place in a list of tasks, for `cursorOf`. All lists have the same places. */
export const taskPositionSchema = z.strictObject({
  listedAt: z.string().min(1).max(MAX_PLACE),
  taskId: z.string().min(1).max(MAX_ID),
});
type Position = z.output<typeof taskPositionSchema>;

/** Selects the tasks of a page. */
export interface TaskQuery {
  /** The name of their contract. */
  readonly name?: string | undefined;
  readonly state?: TaskState | undefined;
  /** 1 to 100. */
  readonly limit: number;
  readonly after?: Position | undefined;
}

/** A page of tasks, without their results. `next` is where the next page starts; undefined on the last page. */
export interface TaskPage {
  readonly tasks: TaskStatus[];
  /** The ids of rows that are left out, because their attributes have other types than Baton writes. */
  readonly broken: readonly string[];
  readonly next: Position | undefined;
}

/** Lists tracked tasks, newest first. A change may be missing for a moment, because DynamoDB updates indexes later. */
export class TaskHistory {
  readonly #documents: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #now: () => number;

  constructor(documents: DynamoDBDocumentClient, table: string, now = () => ClockWatch.of(documents).nowMs) {
    this.#documents = documents;
    this.#table = table;
    this.#now = now;
  }

  /**
   * Reads a page of tasks. With `name` or `state` alone, or with neither, it makes one request. With both it reads the
   * tasks of the name, at most 2,000, until enough have the state. So a page may be short although more tasks follow.
   */
  async list({ name, state, limit, after }: TaskQuery): Promise<TaskPage> {
    const rows: TaskRow[] = [];
    const tasks: TaskStatus[] = [];
    const broken: string[] = [];
    const filter = name === undefined ? undefined : state;
    let next = after;
    // One row more than asked for tells whether another page follows
    for (let request = 0; request < MAX_REQUESTS && rows.length <= limit; request += 1) {
      const most = filter || request > 0 ? FILTERED_ROWS : limit + 1;
      const page = await this.#page(partitionOf(name, state), filter, most, next);
      for (const row of page.rows) {
        const status = faultOfRow(row) === undefined ? statusOf(row) : undefined;
        if (!status) broken.push(row.taskId);
        else if (rows.push(row) <= limit) tasks.push(status);
      }
      next = page.next;
      if (!next) break;
    }
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return { tasks, broken, next: shortened(last ?? next) };
  }

  async #page(
    { index, key, value }: Partition,
    state: TaskState | undefined,
    limit: number,
    after: Position | undefined,
  ): Promise<{ rows: TaskRow[]; next: Position | undefined }> {
    const { Items = [], LastEvaluatedKey } = await this.#documents.send(
      new QueryCommand({
        TableName: this.#table,
        IndexName: index,
        KeyConditionExpression: '#key = :value',
        FilterExpression: `expiresAt >= :now${state ? ' AND #state = :state' : ''}`,
        ExpressionAttributeNames: { '#key': key, ...(state && { '#state': 'state' }) },
        ExpressionAttributeValues: {
          ':value': value,
          ':now': Math.floor(this.#now() / 1000),
          ...(state && { ':state': state }),
        },
        ScanIndexForward: false,
        Limit: limit,
        ...(after && { ExclusiveStartKey: { [key]: value, ...after } }),
      }),
    );
    return { rows: Items.map(rowOf), next: LastEvaluatedKey && positionOf(LastEvaluatedKey as Position) };
  }
}

/** A place that fits its schema. A broken row's is cut, which skips only rows whose places begin alike. */
function shortened(place: Position | undefined): Position | undefined {
  if (!place) return undefined;
  return { listedAt: place.listedAt.slice(0, MAX_PLACE), taskId: place.taskId.slice(0, MAX_ID) };
}

function positionOf({ listedAt, taskId }: Position): Position {
  return { listedAt, taskId };
}

interface Partition {
  readonly index: string;
  readonly key: string;
  readonly value: string;
}

function partitionOf(name: string | undefined, state: TaskState | undefined): Partition {
  if (name !== undefined) return { index: NAME_INDEX, key: 'task', value: name };
  if (state !== undefined) return { index: STATE_INDEX, key: 'state', value: state };
  return { index: ALL_INDEX, key: 'listedIn', value: ALL_TASKS };
}
