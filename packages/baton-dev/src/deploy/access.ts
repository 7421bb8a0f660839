// The `access` of functions: the queues, tables and secrets that they use.
import * as z from 'zod';
import { CANCEL_ATTRIBUTES, FLOW_ATTRIBUTES, SENDER_ATTRIBUTES } from 'baton-tasks/tooling';
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

/** The table of the task store, which all functions share. */
export const TASKS = 'TasksTable';

/**
 * The verbs for the task store's table alone: to send tasks, to start chains and groups, and to cancel. Each lets a function
 * update these attributes and no others (Amazon DynamoDB, "Using IAM policy conditions for fine-grained access control"). So
 * it writes no effects, results or ends, and no links unless it starts flows. `update` lets a function that runs tasks do
 * all of it.
 */
const TASK_ATTRIBUTES = {
  send: SENDER_ATTRIBUTES,
  start: [...SENDER_ATTRIBUTES, ...FLOW_ATTRIBUTES],
  cancel: CANCEL_ATTRIBUTES,
} as const;
type TaskVerb = keyof typeof TASK_ATTRIBUTES;
const taskVerbs = Object.keys(TASK_ATTRIBUTES) as TaskVerb[];
/** The verbs that would replace or delete a whole row of the task store. */
const NOT_FOR_TASKS: ReadonlySet<string> = new Set(['put', 'delete']);

/**
 * Means every queue of the stack that has a dead-letter queue. For functions that end tracked tasks: another service may add
 * a listener on its own queue, without a change of their functions.yml.
 */
const ALL = 'all';
const VARIABLE = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/;

const verbs = [...(Object.keys(TABLE_ACTIONS) as TableVerb[]), ...taskVerbs] as const;
const accessSchema = z.strictObject({
  queues: z
    .union([z.literal(ALL), z.array(z.string())], {
      error: `expected ${ALL}, or the logical ids of queues`,
    })
    .default([]),
  tables: z
    .record(z.string(), z.array(z.enum(verbs, { error: `expected some of ${verbs.join(', ')}` })).min(1))
    .default({}),
  secrets: z
    .record(z.string().regex(VARIABLE), z.string(), {
      error: 'expected the parameter of each secret by its variable: { SHOP_PASSWORD: shop-password }',
    })
    .default({}),
});

/**
 * The access of a function, beside the queues that it consumes: the logical ids of queues that it sends to (in all their
 * lanes), and of tables with the verbs for each. `query` allows queries of indexes only. And the parameters of the secrets
 * that it reads, by their variables.
 */
export interface Access {
  readonly queues: readonly string[];
  readonly tables: Readonly<Record<string, readonly (TableVerb | TaskVerb)[]>>;
  readonly secrets: Readonly<Record<string, string>>;
}

/** A statement of a policy, with the effect Allow. */
export interface Statement {
  readonly Effect: 'Allow';
  readonly Action: string | readonly string[];
  readonly Resource: Value | readonly Value[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
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
  const { tables, secrets } = parsed.data;
  const queues =
    parsed.data.queues === ALL ? sourceQueues(resources).map(({ id }) => id) : parsed.data.queues;
  const check = (id: string, type: string, what: string): void => {
    if (resources[id]?.Type === type) return;
    throw new StackError(
      `The access of the function ${functionName} names ${id}: expected the logical id of a ${what} of this stack`,
    );
  };
  for (const id of queues) check(id, 'AWS::SQS::Queue', 'queue');
  for (const [id, used] of Object.entries(tables)) {
    check(id, 'AWS::DynamoDB::Table', 'table');
    const wrong = used.find((verb) => (id === TASKS ? NOT_FOR_TASKS.has(verb) : isTaskVerb(verb)));
    if (wrong === undefined) continue;
    const expected =
      id === TASKS ? `${taskVerbs.join(', ')}, or update to run tasks` : `it for ${TASKS} alone`;
    throw new StackError(
      `The access of the function ${functionName} has ${wrong} for ${id}: expected ${expected}`,
    );
  }
  const withLanes = new Set([...queues, ...queues.flatMap((id) => laneIdsOf(id, resources))]);
  return { tables, secrets, queues: [...withLanes] };
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
    const onTable = used
      .filter((verb) => !isTaskVerb(verb))
      .filter((verb) => verb !== 'query')
      .map((verb) => TABLE_ACTIONS[verb]);
    const indexes = used.includes('query') ? indexArns(id, resources) : [];
    const parts: [readonly string[], readonly Value[]][] = [
      [onTable, [arnOf(id)]],
      [[TABLE_ACTIONS.query], indexes],
    ];
    const statements = parts
      .filter(([actions, on]) => actions.length > 0 && on.length > 0)
      .map(([actions, on]) => allow(actions, on));
    return statements.concat(taskStatements(used));
  });
}

/** The statement for the verbs of the task store's table, unless the function may update all of its rows. */
function taskStatements(used: readonly string[]): Statement[] {
  const attributes = new Set<string>(used.filter(isTaskVerb).flatMap((verb) => TASK_ATTRIBUTES[verb]));
  return attributes.size > 0 && !used.includes('update') ? [allowUpdatesOf([...attributes])] : [];
}

function isTaskVerb(verb: string): verb is TaskVerb {
  return verb in TASK_ATTRIBUTES;
}

/** Makes a statement that allows updates of some attributes of the task store's rows. */
function allowUpdatesOf(attributes: readonly string[]): Statement {
  const Condition = { 'ForAllValues:StringEquals': { 'dynamodb:Attributes': attributes } };
  return { ...allow([TABLE_ACTIONS.update], [arnOf(TASKS)]), Condition };
}

function indexArns(tableId: string, resources: Resources): Value[] {
  const indexes = resources[tableId]?.Properties['GlobalSecondaryIndexes'] ?? [];
  return (indexes as { IndexName: string }[]).map(({ IndexName }) =>
    sub(`\${${tableId}.Arn}/index/${IndexName}`),
  );
}
