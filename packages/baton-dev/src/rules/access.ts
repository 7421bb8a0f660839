// The rights of functions: what `access` in functions.yml lets them do.
import { type Access, readAccess } from '../deploy/access.ts';
import type { AstNode } from '../sources/ast.ts';
import { sourceQueues } from '../stack/queues.ts';
import { StackError } from '../stack/stack-error.ts';
import { sendsIn } from './contract-uses.ts';
import { commandsIn, isSeenIn, type Need, needsOf } from './needs.ts';
import { consumedQueues } from './queues.ts';
import type { Breach, Rule } from './rule.ts';
import { ownTables } from './tables.ts';
import type { OwnFunction, Tree } from './tree.ts';

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
          'Write access: { queues: [IDS], tables: { ID: [get, put, update, delete, query], TasksTable: [get, send, start, cancel] } } with the logical ids of what it uses, or {}';
        return [{ at: tree.placeOf(own, 'access'), found: error.message, expected }];
      }
    }),
};

/**
 * A function may send what its code sends, and use the task store for it.
 *
 * Seen are contracts that code names in `send`, `chain`, `group`'s `member`; the makers of consumers; and what is asked of
 * the task store. Not seen is a contract in a variable or an array that is made elsewhere. Which function runs the code is
 * seen as far as `Reach` follows it; beyond, it is enough that one of those may that import it.
 */
export const accessCoversTasks: Rule = {
  name: 'the access of a function covers the tasks that it sends, runs and cancels',
  breaches: (tree) => {
    const { tasks, tables } = needsOf(tree);
    return tasks.flatMap((need) => unmet(need, [...tasks, ...tables], tree));
  },
};

/** A function may do with its service's tables what its code does: seen as in `accessCoversTasks`. */
export const accessCoversTables: Rule = {
  name: "the access of a function covers what its code does with its service's tables",
  breaches: (tree) => {
    const { tasks, tables } = needsOf(tree);
    const needs = [...tasks, ...tables];
    return [
      ...tree.folders.flatMap((folder) => forbiddenIn(tree, folder)),
      ...tables.flatMap((need) => unmet(need, needs, tree)),
      ...tree.functions.flatMap((own) => namedTables(tree, own, needs)),
    ];
  },
};

/** The functions that may not do what some code does: each that runs it, or all of those of which one may run it. */
function unmet(need: Need, needs: readonly Need[], tree: Tree): Breach[] {
  const { functions, isSeen } = need.by;
  const lacking = functions.filter((own) => lacks(own, need, tree));
  const names = lacking.map(({ name }) => name);
  const breach = (own: OwnFunction, who: string, hint: string): Breach => ({
    at: need.at,
    found: `it ${need.what}, and ${who} may not: AWS would refuse it`,
    expected: `Write ${rightsText(own, need, needs, tree)} in ${own.name} of ${own.folder}/functions.yml${hint}`,
  });
  if (isSeen) return lacking.map((own) => breach(own, own.name, ''));
  const [first, ...others] = lacking;
  if (!first || lacking.length < functions.length) return [];
  const hint = `, or the same rights in ${names.slice(1).join(' or ')} if that runs the code`;
  return [breach(first, names.join(' and '), others.length > 0 ? hint : '')];
}

/** The access to write, or a part of it if it is not seen for which of several tables it is. */
function rightsText(own: OwnFunction, need: Need, needs: readonly Need[], tree: Tree): string {
  const { tables, verbs } = need;
  if (tables.length > 1) return `${verbs.join(', ')} under access: tables: ${tables.join(' or ')}`;
  return accessText(own, [...needs.filter((each) => isSeenIn(each, own)), need], tree);
}

function lacks(own: OwnFunction, { queues, tables, verbs }: Need, tree: Tree): boolean {
  const access = accessOf(own, tree);
  if (!access) return false;
  // A consumer may send to its own queues
  const consumed = consumedQueues(tree).filter(({ consumer }) => consumer.name === own.name);
  const allowed = new Set([...access.queues, ...consumed.map(({ queue }) => queue.id)]);
  const wanted = queues === 'all' ? sourceQueues(tree.stack.resources).map(({ id }) => id) : queues;
  const used = new Set<string>(tables.flatMap((id) => access.tables[id] ?? []));
  // A function that runs tasks may change every row
  if (used.has('update')) for (const verb of ['start', 'cancel']) used.add(verb);
  if (used.has('start')) used.add('send');
  const isAll = writtenIn(own).queues === 'all';
  return (!isAll && wanted.some((id) => !allowed.has(id))) || verbs.some((verb) => !used.has(verb));
}

/** The access of a function as it would be written: what is there, and what its code needs. */
function accessText(own: OwnFunction, needs: readonly Need[], tree: Tree): string {
  const missing = needs.filter((need) => need.tables.length === 1 && lacks(own, need, tree));
  const { queues: written = [], tables = {} } = writtenIn(own);
  const isAll = written === 'all' || missing.some(({ queues }) => queues === 'all');
  const queues = new Set([written, ...missing.map((need) => need.queues)].flat());
  const verbs = new Map(Object.entries(tables).map(([id, used]) => [id, new Set(used)]));
  for (const {
    tables: [id = ''],
    verbs: wanted,
  } of missing)
    if (wanted.length > 0) verbs.set(id, new Set([...(verbs.get(id) ?? []), ...wanted]));
  const rights = [...verbs].map(([id, each]) => `${id}: [${[...each].join(', ')}]`);
  const parts = [
    isAll ? 'queues: all' : `queues: [${[...queues].join(', ')}]`,
    `tables: { ${rights.join(', ')} }`,
  ];
  return `access: { ${parts.filter((text) => !/\[\]$|\{ {2}\}$/.test(text)).join(', ')} }`;
}

/** An access as it is written, which another rule has read. */
function writtenIn({ access }: OwnFunction) {
  return (access ?? {}) as {
    readonly queues?: 'all' | readonly string[];
    readonly tables?: Readonly<Record<string, readonly string[]>>;
  };
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

/** Commands that no function may send. */
function forbiddenIn(tree: Tree, folder: string): Breach[] {
  return commandsIn(tree, folder)
    .filter(({ verbs }) => verbs.length === 0)
    .map(({ at, name }) => ({
      at,
      found: `${name === 'QueryCommand' ? 'a QueryCommand without an IndexName' : `a ${name}`} is something that no access allows`,
      expected: 'Query an index of the table by its IndexName, or get, put, update and delete single rows',
    }));
}

/** The tables whose names a function is given, and that it may not use. */
function namedTables(tree: Tree, own: OwnFunction, needs: readonly Need[]): Breach[] {
  const { tables } = accessOf(own, tree) ?? {};
  if (!tables) return [];
  return ownTables(tree).flatMap(({ id, name, folder }) => {
    const [variable] = Object.entries(own.environment ?? {}).find(([, value]) => value === name) ?? [];
    const isNeeded = needs.some((each) => isSeenIn(each, own) && each.tables.includes(id));
    // What its code needs is said where the code is
    if (variable === undefined || folder !== own.folder || id in tables || isNeeded) return [];
    const at = tree.placeOf(own, 'environment', variable);
    const by = { functions: [own], isSeen: true };
    const least: Need = { at, what: 'reads', queues: [], tables: [id], verbs: ['get'], by };
    return [
      {
        at,
        found: `${own.name} is given ${variable}, and may not use ${id}`,
        expected: `Write ${rightsText(own, least, needs, tree)} there, with what it does with the table`,
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
