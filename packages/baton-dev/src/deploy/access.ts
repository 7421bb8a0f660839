// The `access` of functions: the queues and tables that they use.
import * as z from 'zod';
import { laneIdsOf } from '../stack/lanes.ts';
import { sourceQueues } from '../stack/queues.ts';
import { StackError } from '../stack/stack-error.ts';
import { arnOf, type Resources, sub, type Value } from '../stack/resources.ts';

/** The verbs of `access`, and their actions (IAM: "Actions, resources, and condition keys for Amazon DynamoDB"). */
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
 * Means every queue of the stack that has a dead-letter queue. For functions that end tracked tasks: another service may add
 * a listener on its own queue, without a change of their functions.yml.
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
 * The access of a function, beside the queues that it consumes: the logical ids of queues that it sends to (in all their
 * lanes), and of tables with the verbs for each. `query` allows queries of indexes only.
 */
export interface Access {
  readonly queues: readonly string[];
  readonly tables: Readonly<Record<string, readonly TableVerb[]>>;
}

/** A statement of a policy, with the effect Allow. */
export interface Statement {
  readonly Effect: 'Allow';
  readonly Action: string | readonly string[];
  readonly Resource: Value | readonly Value[];
}

/**
 * Reads the `access` of a function.
 *
 * @throws StackError that names the function and the fault
 */
export function readAccess(functionName: string, access: unknown, resources: Resources): Access {
  if (access === undefined)
    throw new StackError(
      `The function ${functionName} has no access: expected the queues that it sends to and the tables that it uses, or {} for none`,
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
      `The access of the function ${functionName} names ${id}: expected the logical id of a ${what} of this stack`,
    );
  };
  for (const id of queues) check(id, 'AWS::SQS::Queue', 'queue');
  for (const id of Object.keys(tables)) check(id, 'AWS::DynamoDB::Table', 'table');
  const withLanes = new Set([...queues, ...queues.flatMap((id) => laneIdsOf(id, resources))]);
  return { tables, queues: [...withLanes] };
}

/** Makes a statement that allows actions on resources. */
export function allow(actions: readonly string[], resources: readonly Value[]): Statement {
  const [action = ''] = actions;
  const [resource = ''] = resources;
  return {
    Effect: 'Allow',
    Action: actions.length === 1 ? action : actions,
    Resource: resources.length === 1 ? resource : resources,
  };
}

/** The statements for the tables in an `access`. */
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
