// The places where code sends or implements contracts.
import type { TaskContract } from 'baton-tasks';
import { type AstNode, pathOf } from '../sources/ast.ts';
import type { Call } from '../sources/code.ts';
import type { Source } from '../sources/source.ts';
import { handlerOf } from './functions.ts';
import { CONTRACTS_FOLDER, isDeployed } from './paths.ts';
import type { OwnFunction, Place, Tree } from './tree.ts';

/** Calls that take a contract first and implement nothing. */
const ASKING: ReadonlySet<string> = new Set([
  'send',
  'member',
  'chain',
  'group',
  'start',
  'ping',
  'handle',
  'nextTick',
]);

/** A place where code names a contract in a call. */
export interface ContractUse extends Place {
  readonly contract: TaskContract;
  /** The call. */
  readonly node: AstNode;
}

/** The contracts that a file sends: those of `send`, the members of a group, and the first of a chain. */
export function sendsIn(tree: Tree, source: Source): ContractUse[] {
  return usesIn(tree, source, ({ name, arguments: [first] }) => {
    if (name === 'send' || name === 'member') return first;
    const [step] = name === 'chain' ? ((first?.['elements'] ?? []) as AstNode[]) : [];
    return step;
  });
}

/** The contracts that a file implements: those that `implement`, or a function of its own, is given first. */
export function implementationsIn(tree: Tree, source: Source): ContractUse[] {
  return usesIn(tree, source, ({ name, arguments: [first] }) => (ASKING.has(name) ? undefined : first));
}

function usesIn(tree: Tree, source: Source, contractIn: (call: Call) => AstNode | undefined): ContractUse[] {
  const contracts = contractsOf(tree, source);
  if (contracts.size === 0) return [];
  return tree.repository.codeAt(source.path).calls.flatMap((call) => {
    const contract = contracts.get(pathOf(contractIn(call)));
    return contract ? [{ contract, file: source.path, line: call.line, node: call.node }] : [];
  });
}

/** The contracts that a file imports, by what it calls them: `recordPayment`, or `payments.recordPayment`. */
function contractsOf({ repository, exported }: Tree, source: Source): ReadonlyMap<string, TaskContract> {
  const found = source.imports.flatMap(({ request, names }) => {
    const file = repository.fileOfImport(source, request);
    const own = exported.filter((each) => `${CONTRACTS_FOLDER}/${each.file}` === file);
    return names.flatMap(({ imported, local = '' }) =>
      own
        .filter(({ name }) => imported === '*' || imported === name)
        .map(({ name, contract }): [string, TaskContract] => [
          imported === '*' ? `${local}.${name}` : local,
          contract,
        ]),
    );
  });
  return new Map(found);
}

/** The functions whose code a file is of: those whose handler imports it, by whatever way. */
export function functionsWith(tree: Tree, path: string): OwnFunction[] {
  return tree.functions.filter((own) => filesOf(tree, own).has(path));
}

/** The deployed files that a function's code is made of. */
function filesOf({ repository }: Tree, own: OwnFunction): ReadonlySet<string> {
  const { file } = handlerOf(own);
  const files = new Set(repository.has(file) ? [file] : []);
  for (const path of files) {
    const used = repository.filesUsedBy(repository.sourceAt(path));
    for (const next of used)
      if (next.endsWith('.ts') && isDeployed(next) && repository.has(next)) files.add(next);
  }
  return files;
}
