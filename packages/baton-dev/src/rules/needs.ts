// The rights that code needs.
import { TASKS } from '../deploy/access.ts';
import { type AstNode, pathOf } from '../sources/ast.ts';
import type { Call } from '../sources/code.ts';
import { queuesOf } from '../stack/queues.ts';
import { functionsWith, sendsIn } from './contract-uses.ts';
import { handlerOf } from './functions.ts';
import { Reach } from './reach.ts';
import { ownTables } from './tables.ts';
import { type OwnFunction, type Place, STAGE_PREFIX, type Tree } from './tree.ts';

/** A right that some code needs. */
export interface Need {
  readonly at: Place;
  /** The act of the code there, as in "it sends payments.record". */
  readonly what: string;
  /** The logical ids of queues, or all of them. */
  readonly queues: readonly string[] | 'all';
  /** The logical ids of the tables that it may be for. */
  readonly tables: readonly string[];
  /** Its acts on one of them, in the words of `access`. */
  readonly verbs: readonly string[];
  readonly by: Runners;
}

/** The functions that run some code; if it is not seen which do, those that may. */
interface Runners {
  readonly functions: readonly OwnFunction[];
  readonly isSeen: boolean;
}

/** The code of a function, as far as it is seen, by the function. */
type Reaches = ReadonlyMap<OwnFunction, Reach>;

/** The rights that the code of all functions needs: on the task store and queues, and on the tables of services. */
export function needsOf(tree: Tree): { readonly tasks: readonly Need[]; readonly tables: readonly Need[] } {
  const reaches: Reaches = new Map(tree.functions.map((own) => [own, new Reach(tree, own)]));
  return {
    tasks: [
      ...tree.deployed.flatMap(({ path }) => [
        ...sendNeeds(tree, path, reaches),
        ...storeNeeds(tree, path, reaches),
      ]),
      ...tree.functions.flatMap((own) => runNeeds(tree, own)),
    ],
    tables: tree.folders.flatMap((folder) => tableNeeds(tree, folder, reaches)),
  };
}

/** Whether it is seen that a function runs the code that needs something. */
export function isSeenIn({ by: { isSeen, functions } }: Need, { name }: OwnFunction): boolean {
  return isSeen && functions.some((own) => own.name === name);
}

/** The functions that run some code: those that are seen to, or else all of some others. */
function runBy(
  reaches: Reaches,
  isRun: (reach: Reach) => boolean,
  others: () => readonly OwnFunction[],
): Runners {
  const seen = [...reaches].filter(([, reach]) => isRun(reach)).map(([own]) => own);
  return seen.length > 0 ? { functions: seen, isSeen: true } : { functions: others(), isSeen: false };
}

function sendNeeds(tree: Tree, path: string, reaches: Reaches): Need[] {
  const queues = queuesOf(tree.stack.resources);
  return sendsIn(tree, tree.repository.sourceAt(path)).flatMap(({ contract, file, line, node }) => {
    const id = queues.find(({ name }) => name === STAGE_PREFIX + contract.queue)?.id;
    if (id === undefined) return [];
    return [
      {
        at: { file, line },
        what: `sends ${contract.name}`,
        queues: [id],
        tables: [TASKS],
        verbs: contract.tracked ? ['get', isOfFlow(node) ? 'start' : 'send'] : [],
        by: runBy(
          reaches,
          (reach) => reach.runs(node),
          () => functionsWith(tree, path),
        ),
      },
    ];
  });
}

/** Whether a call makes a chain or a group. */
function isOfFlow({ callee }: AstNode): boolean {
  return !/(^|\.)send$/.test(pathOf(callee));
}

/** The rights that calls of the task store need, by the end of the called name. */
const STORE_CALLS: readonly (Pick<Need, 'queues' | 'verbs'> & { readonly call: RegExp })[] = [
  { call: /(^|\.)tasks\.cancel$/, queues: 'all', verbs: ['get', 'cancel'] },
  { call: /(^|\.)tasks\.handle$/, queues: [], verbs: ['get'] },
  { call: /(^|\.)taskStore\.find$/, queues: [], verbs: ['get'] },
  { call: /^TaskHistory$/, queues: [], verbs: ['query'] },
];

function storeNeeds(tree: Tree, file: string, reaches: Reaches): Need[] {
  return tree.repository.codeAt(file).calls.flatMap(({ path, line, node }) =>
    STORE_CALLS.filter(({ call }) => call.test(path)).map(({ queues, verbs }) => ({
      at: { file, line },
      what: `calls ${path}`,
      queues,
      tables: [TASKS],
      verbs,
      by: runBy(
        reaches,
        (reach) => (path === 'TaskHistory' ? reach.uses(node) : reach.runs(node)),
        () => functionsWith(tree, file),
      ),
    })),
  );
}

/** The functions that make a consumer, and the rights that it needs on the task store. */
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
      tables: [TASKS],
      verbs: ['get', 'get-batch', 'update'],
      by: { functions: [own], isSeen: true },
    }));
}

/** The verbs of `access` that a command of DynamoDB needs; none if no access allows it. */
const VERBS: Readonly<Record<string, readonly string[]>> = {
  GetCommand: ['get'],
  BatchGetCommand: ['get-batch'],
  QueryCommand: ['query'],
  PutCommand: ['put'],
  UpdateCommand: ['update'],
  DeleteCommand: ['delete'],
  ScanCommand: [],
  BatchWriteCommand: [],
  // What it does with the table of its service
  Intake: ['get', 'put', 'update'],
};

/** The commands for its tables that the code of a folder makes. */
export function commandsIn(tree: Tree, folder: string) {
  if (!ownTables(tree).some((table) => table.folder === folder)) return [];
  return tree.deployed
    .filter(({ path }) => path.startsWith(`${folder}/`))
    .flatMap(({ path: file }) =>
      tree.repository
        .codeAt(file)
        .calls.filter(({ name }) => name in VERBS)
        .map((call) => ({
          at: { file, line: call.line },
          name: call.name,
          node: call.node,
          verbs: verbsOf(call),
        })),
    );
}

function verbsOf({ name, arguments: [input] }: Call): readonly string[] {
  return name === 'QueryCommand' && isOfWholeTable(input) ? [] : (VERBS[name] ?? []);
}

function tableNeeds(tree: Tree, folder: string, reaches: Reaches): Need[] {
  const tables = ownTables(tree).filter((table) => table.folder === folder);
  return commandsIn(tree, folder).map(({ at, name, node, verbs }) => ({
    at,
    what: `${name === 'Intake' ? 'uses' : 'sends'} ${name}`,
    queues: [],
    tables: tables.map(({ id }) => id),
    verbs,
    by: runBy(
      reaches,
      (reach) => (name === 'Intake' ? reach.uses(node) : reach.runs(node)),
      () => tree.functions.filter((own) => own.folder === folder),
    ),
  }));
}

/** Whether the input of a command is written out and names no index. */
function isOfWholeTable(input: AstNode | undefined): boolean {
  if (input?.type !== 'ObjectExpression') return false;
  const properties = input['properties'] as (AstNode & { readonly key?: { readonly name?: string } })[];
  return properties.every(({ type, key }) => type === 'ObjectProperty' && key?.name !== 'IndexName');
}
