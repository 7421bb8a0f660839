import * as z from 'zod';
import { laneIdsOf } from '../stack/lanes.ts';
import { sourceQueues } from '../stack/queues.ts';
import { StackError } from '../stack/stack-error.ts';
import { arnOf, type Resources, sub, type Value } from '../stack/resources.ts';

/** What `access` calls DynamoDB's actions (IAM: "Actions, resources, and condition keys for Amazon DynamoDB"). */
const TABLE_ACTIONS = {
  get: 'dynamodb:GetItem',
  'get-batch': 'dynamodb:BatchGetItem',
  query: 'dynamodb:Query',
  put: 'dynamodb:PutItem',
  update: 'dynamodb:UpdateItem',
  delete: 'dynamodb:DeleteItem',
} as const;
type TableVerb = keyof typeof TABLE_ACTIONS;

/**
 * Every queue of the stack that has dead letters. For those who end tracked tasks: any service may name a listener on a
 * queue of its own, and must not have to change the functions.yml of another for it.
 */
const ALL = 'all';

const verbs = Object.keys(TABLE_ACTIONS) as [TableVerb, ...TableVerb[]];
const accessSchema = z.strictObject({
  queues: z
    .union([z.literal(ALL), z.array(z.string())], {
      error: `expected ${ALL}, or the logical ids of queues`,
    })
    .default([]),
  tables: z
    .record(z.string(), z.array(z.enum(verbs, { error: `expected some of ${verbs.join(', ')}` })).min(1))
    .default({}),
});

/**
 * What a function uses beside the queues that it consumes: the logical ids of the queues that it sends to, whose lanes
 * it may send to as well, and of tables with what it does there. `query` covers the table's indexes alone: nothing here queries a table itself.
 */
export interface Access {
  readonly queues: readonly string[];
  readonly tables: Readonly<Record<string, readonly TableVerb[]>>;
}

/** A statement of a policy that allows. */
export interface Statement {
  readonly Effect: 'Allow';
  readonly Action: string | readonly string[];
  readonly Resource: Value | readonly Value[];
}

/**
 * Reads the `access` of a function.
 *
 * @throws StackError naming the function and what is wrong with it
 */
export function readAccess(functionName: string, access: unknown, resources: Resources): Access {
  if (access === undefined)
    throw new StackError(
      `The function ${functionName} has no access: expected the queues that it sends to and the tables that it uses, or {} where there are none`,
    );
  const parsed = accessSchema.safeParse(access);
  if (!parsed.success)
    throw new StackError(`The access of the function ${functionName}: ${z.prettifyError(parsed.error)}`);
  const { tables } = parsed.data;
  const queues =
    parsed.data.queues === ALL ? sourceQueues(resources).map(({ id }) => id) : parsed.data.queues;
  const check = (id: string, type: string, what: string): void => {
    if (resources[id]?.Type === type) return;
    throw new StackError(
      `The access of the function ${functionName} names ${id}, which is no ${what} of this stack`,
    );
  };
  for (const id of queues) check(id, 'AWS::SQS::Queue', 'queue');
  for (const id of Object.keys(tables)) check(id, 'AWS::DynamoDB::Table', 'table');
  const withLanes = new Set([...queues, ...queues.flatMap((id) => laneIdsOf(id, resources))]);
  return { tables, queues: [...withLanes] };
}

/** Allows some actions on some resources. */
export function allow(actions: readonly string[], resources: readonly Value[]): Statement {
  const [action = ''] = actions;
  const [resource = ''] = resources;
  return {
    Effect: 'Allow',
    Action: actions.length === 1 ? action : actions,
    Resource: resources.length === 1 ? resource : resources,
  };
}

/** What lets a function, or a worker, do what its `access` says with tables. */
export function tableStatements({ tables }: Access, resources: Resources): Statement[] {
  return Object.entries(tables).flatMap(([id, used]) => {
    const onTable = used.filter((verb) => verb !== 'query').map((verb) => TABLE_ACTIONS[verb]);
    const indexes = used.includes('query') ? indexArns(id, resources) : [];
    const parts: [readonly string[], readonly Value[]][] = [
      [onTable, [arnOf(id)]],
      [[TABLE_ACTIONS.query], indexes],
    ];
    return parts
      .filter(([actions, on]) => actions.length > 0 && on.length > 0)
      .map(([actions, on]) => allow(actions, on));
  });
}

function indexArns(tableId: string, resources: Resources): Value[] {
  const indexes = resources[tableId]?.Properties['GlobalSecondaryIndexes'] ?? [];
  return (indexes as { IndexName: string }[]).map(({ IndexName }) =>
    sub(`\${${tableId}.Arn}/index/${IndexName}`),
  );
}
