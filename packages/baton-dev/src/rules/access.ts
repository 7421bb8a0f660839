import { type Access, readAccess } from '../deploy/access.ts';
import type { AstNode } from '../sources/ast.ts';
import { StackError } from '../stack/stack-error.ts';
import { queuesOf, sourceQueues } from '../stack/queues.ts';
import { type OwnFunction, type Place, STAGE_PREFIX, type Tree } from './tree.ts';
import { functionsWith, sendsIn } from './contract-uses.ts';
import { handlerOf } from './functions.ts';
import { consumedQueues } from './queues.ts';
import type { Breach, Rule } from './rule.ts';
import { ownTables } from './tables.ts';

/** The table of the task store, which all share. */
const TASKS = 'TasksTable';

/** What a function must be allowed. */
interface Need {
  readonly at: Place;
  /** What the code there does, as in "it sends payments.record". */
  readonly what: string;
  /** The logical ids of queues, or all of them. */
  readonly queues: readonly string[] | 'all';
  /** What it does with the table of the task store. */
  readonly tasks: readonly string[];
}

/** functions.yml says what each function may do. */
export const accessIsUnderstood: Rule = {
  name: 'the access of every function names queues and tables that there are',
  breaches: (tree) =>
    tree.functions.flatMap((own) => {
      try {
        readAccess(own.name, own.access, tree.stack.resources);
        return [];
      } catch (error) {
        if (!(error instanceof StackError)) throw error;
        const expected =
          'Write access: { queues: [IDS], tables: { ID: [get, put, update, delete, query] } } with the logical ids of what it uses, or {}';
        return [{ at: tree.placeOf(own, 'access'), found: error.message, expected }];
      }
    }),
};

/**
 * A function may send what its code sends, and use the task store for it.
 *
 * Seen are contracts that the code of a function, or what it imports, names in `send`, `chain`, `group`'s `member`; the
 * makers of consumers; and what is asked of the task store. Not seen is a contract in a variable or an array that is made
 * elsewhere. If several functions share the code, it is enough that one of them may.
 */
export const accessCoversTasks: Rule = {
  name: 'the access of a function covers the tasks that it sends, runs and cancels',
  breaches: (tree) => [
    ...tree.deployed.flatMap((source) =>
      [...sendNeeds(tree, source.path), ...storeNeeds(tree, source.path)].flatMap((need) =>
        unmet(need, functionsWith(tree, source.path), tree),
      ),
    ),
    ...tree.functions.flatMap((own) => runNeeds(tree, own).flatMap((need) => unmet(need, [own], tree))),
  ],
};

function sendNeeds(tree: Tree, path: string): Need[] {
  const queues = queuesOf(tree.stack.resources);
  return sendsIn(tree, tree.repository.sourceAt(path)).flatMap(({ contract, file, line }) => {
    const id = queues.find(({ name }) => name === STAGE_PREFIX + contract.queue)?.id;
    if (id === undefined) return [];
    const tasks = contract.tracked ? ['get', 'put'] : [];
    return [{ at: { file, line }, what: `sends ${contract.name}`, queues: [id], tasks }];
  });
}

/** What calls of the task store need, by the end of what is called. */
const STORE_CALLS: readonly (Pick<Need, 'queues' | 'tasks'> & { readonly call: RegExp })[] = [
  { call: /(^|\.)tasks\.cancel$/, queues: 'all', tasks: ['get', 'update'] },
  { call: /(^|\.)tasks\.handle$/, queues: [], tasks: ['get'] },
  { call: /(^|\.)taskStore\.find$/, queues: [], tasks: ['get'] },
  { call: /^TaskHistory$/, queues: [], tasks: ['query'] },
];

function storeNeeds({ repository }: Tree, file: string): Need[] {
  return repository.codeAt(file).calls.flatMap(({ path, line }) =>
    STORE_CALLS.filter(({ call }) => call.test(path)).map(({ queues, tasks }) => ({
      at: { file, line },
      what: `calls ${path}`,
      queues,
      tasks,
    })),
  );
}

/** What makes a consumer, and what its function does with the task store. */
const CONSUMERS: ReadonlySet<string> = new Set(['createTrackedConsumer', 'createWorkerFunction']);

function runNeeds({ repository }: Tree, own: OwnFunction): Need[] {
  const { file, name } = handlerOf(own);
  if (!repository.has(file)) return [];
  return repository
    .codeAt(file)
    .calls.filter((call) => call.makes === name && CONSUMERS.has(call.name))
    .map(({ line }) => ({
      at: { file, line },
      what: 'runs tracked tasks, whose ends may be told on any queue',
      queues: 'all',
      tasks: ['get', 'get-batch', 'update'],
    }));
}

/** What none of the functions that run some code may do. */
function unmet(need: Need, functions: readonly OwnFunction[], tree: Tree): Breach[] {
  const lacks = functions.map((own) => ({ own, lack: lackOf(need, own, tree) }));
  const [first] = lacks;
  if (!first || lacks.some(({ lack }) => lack === '')) return [];
  const names = lacks.map(({ own }) => own.name).join(' and ');
  return [
    {
      at: need.at,
      found: `it ${need.what}, and ${names} may not: AWS would refuse it`,
      expected: `Write ${first.lack} under the access of ${first.own.name} in ${first.own.folder}/functions.yml`,
    },
  ];
}

/** What the access of a function lacks, as it would be written; `''` if it lacks nothing. */
function lackOf({ queues, tasks }: Need, own: OwnFunction, tree: Tree): string {
  const { resources } = tree.stack;
  const access = accessOf(own, tree);
  if (!access) return '';
  // A consumer may send to its own queues
  const consumed = consumedQueues(tree).filter(({ consumer }) => consumer.name === own.name);
  const allowed = new Set([...access.queues, ...consumed.map(({ queue }) => queue.id)]);
  const wanted = queues === 'all' ? sourceQueues(resources).map(({ id }) => id) : queues;
  const isRefused = wanted.some((id) => !allowed.has(id));
  const used: readonly string[] = access.tables[TASKS] ?? [];
  const verbs = tasks.filter((verb) => !used.includes(verb));
  return [
    isRefused &&
      `queues: ${queues === 'all' ? 'all' : `[${[...new Set([...writtenQueues(own), ...queues])].join(', ')}]`}`,
    verbs.length > 0 && `tables: { ${TASKS}: [${[...used, ...verbs].join(', ')}] }`,
  ]
    .filter((text) => text !== false)
    .join(' and ');
}

function writtenQueues({ access }: OwnFunction): string[] {
  const { queues } = (access ?? {}) as { readonly queues?: unknown };
  return Array.isArray(queues) ? queues.map(String) : [];
}

/** Undefined of a function whose access is not understood: another rule says so. */
function accessOf(own: OwnFunction, { stack }: Tree): Access | undefined {
  try {
    return readAccess(own.name, own.access, stack.resources);
  } catch (error) {
    if (error instanceof StackError) return undefined;
    throw error;
  }
}

/** The verb of `access` that a command of DynamoDB needs; `undefined` if `access` has none for it. */
const VERBS: Readonly<Record<string, string | undefined>> = {
  GetCommand: 'get',
  BatchGetCommand: 'get-batch',
  QueryCommand: 'query',
  PutCommand: 'put',
  UpdateCommand: 'update',
  DeleteCommand: 'delete',
  ScanCommand: undefined,
  BatchWriteCommand: undefined,
};
/** What `Intake` does with the table of its service. */
const INTAKE_VERBS = ['get', 'put', 'update'];

/**
 * A service may do with its tables what its code does.
 *
 * A class for the table is shared by a service's functions, so it is enough that one of them may. Which one calls which
 * method is not seen.
 */
export const accessCoversTables: Rule = {
  name: 'the access of a service covers what its code does with its tables',
  breaches: (tree) => [
    ...tree.folders.flatMap((folder) => commandsIn(tree, folder)),
    ...tree.functions.flatMap((own) => namedTables(tree, own)),
  ],
};

function commandsIn(tree: Tree, folder: string): Breach[] {
  const own = tree.functions.filter((each) => each.folder === folder);
  const tables = ownTables(tree).filter((table) => table.folder === folder);
  const [first] = own;
  const [table] = tables;
  if (!first || !table) return [];
  const accesses = own.map((each) => accessOf(each, tree));
  if (accesses.includes(undefined)) return [];
  const verbs = new Set(accesses.flatMap((access) => tables.flatMap(({ id }) => access?.tables[id] ?? [])));
  const sources = tree.deployed.filter(({ path }) => path.startsWith(`${folder}/`));
  return sources.flatMap(({ path: file }) =>
    tree.repository.codeAt(file).calls.flatMap(({ name, arguments: [input], line }): Breach[] => {
      if (name !== 'Intake' && !(name in VERBS)) return [];
      const needed = name === 'Intake' ? INTAKE_VERBS : [VERBS[name]];
      if (needed.includes(undefined) || (name === 'QueryCommand' && isOfWholeTable(input)))
        return [
          {
            at: { file, line },
            found: `${name === 'QueryCommand' ? 'a QueryCommand without an IndexName' : `a ${name}`} is something that no access allows`,
            expected:
              'Query an index of the table by its IndexName, or get, put, update and delete single rows',
          },
        ];
      const missing = needed.filter((verb) => !([...verbs] as unknown[]).includes(verb));
      if (missing.length === 0) return [];
      return [
        {
          at: { file, line },
          found: `${name} needs ${missing.join(', ')}, and no function of ${folder} may: AWS would refuse it`,
          expected: `Write tables: { ${table.id}: [${missing.join(', ')}] } under the access of the function that calls it in ${folder}/functions.yml`,
        },
      ];
    }),
  );
}

/** Whether the input of a command is written out and names no index. */
function isOfWholeTable(input: AstNode | undefined): boolean {
  if (input?.type !== 'ObjectExpression') return false;
  const properties = input['properties'] as (AstNode & { readonly key?: { readonly name?: string } })[];
  return properties.every(({ type, key }) => type === 'ObjectProperty' && key?.name !== 'IndexName');
}

/** The tables whose names a function is given, and that it may not use. */
function namedTables(tree: Tree, own: OwnFunction): Breach[] {
  const { tables } = accessOf(own, tree) ?? {};
  if (!tables) return [];
  return ownTables(tree).flatMap(({ id, name, folder }) => {
    const [variable] = Object.entries(own.environment ?? {}).find(([, value]) => value === name) ?? [];
    if (variable === undefined || folder !== own.folder || id in tables) return [];
    return [
      {
        at: tree.placeOf(own, 'environment', variable),
        found: `${own.name} is given ${variable}, and may not use ${id}`,
        expected: `Write tables: { ${id}: [get] } under its access, with what it does there`,
      },
    ];
  });
}

/** A service that sends or runs tracked tasks has the task store. */
export const trackingIsSaid: Rule = {
  name: 'a service that sends or runs tracked tasks says tracks: true to its createService',
  breaches: (tree) =>
    tree.folders.flatMap((folder) => {
      const own = tree.deployed.filter(({ path }) => path.startsWith(`${folder}/`));
      const making = own.flatMap(({ path: file }) =>
        tree.repository
          .codeAt(file)
          .calls.filter(({ name }) => name === 'createService')
          .map(({ arguments: [options], line }) => ({ file, line, options })),
      );
      const sent = own.flatMap((source) => sendsIn(tree, source)).find(({ contract }) => contract.tracked);
      return making
        .filter(({ options }) => sent && options?.type === 'ObjectExpression' && !says(options, 'tracks'))
        .map(({ file, line }) => ({
          at: { file, line },
          found: `the service has no task store, and sends the tracked task ${sent?.contract.name} in ${sent?.file}:${sent?.line}`,
          expected: 'Write tracks: true',
        }));
    }),
};

/** Whether an object has a member, or takes in others that may have it. */
function says(options: AstNode, member: string): boolean {
  const properties = options['properties'] as (AstNode & { readonly key?: { readonly name?: string } })[];
  return properties.some(({ type, key }) => type === 'SpreadElement' || key?.name === member);
}
