// What follows tasks: later tasks of flows, and listeners.
import type { AstNode } from '../sources/ast.ts';
import type { Call } from '../sources/code.ts';
import { ALL_CONTRACTS } from '../stack/contracts.ts';
import { CONTRACTS_FOLDER } from './paths.ts';
import type { Rule } from './rule.ts';
import type { Tree } from './tree.ts';

/** A chain, a group or a listener may lead to any contract. A process follows links only to those that it is given. */
export const contractsAreListed: Rule = {
  name: `every contract is in ${ALL_CONTRACTS}, and no other`,
  breaches: (tree) => {
    const { listed, contracts } = tree;
    const missing = contracts
      .filter((contract) => !listed.includes(contract))
      .map((contract) => ({
        at: tree.placeOfContract(contract),
        found: `${ALL_CONTRACTS} does not list ${contract.name}, so no chain, group or listener that leads to it is followed`,
        expected: 'Import it there, and add it to allContracts',
      }));
    const needless = listed
      .filter((contract) => !contracts.includes(contract))
      .map(({ name }) => ({
        at: { file: ALL_CONTRACTS },
        found: `it lists ${name}, which no file of ${CONTRACTS_FOLDER} exports`,
        expected: 'Take it out of allContracts',
      }));
    return [...missing, ...needless];
  },
};

/** The calls that make a process which ends tasks, and where their options stand. */
const ENDING: Readonly<Record<string, number>> = { runWorker: 0, createWorkerFunction: 1 };

/** A process that ends tasks sends the tasks that follow, so it must know their contracts. */
export const linksAreKnown: Rule = {
  name: 'a process that runs or cancels tracked tasks is given the contracts that they may lead to',
  breaches: (tree) => [
    ...tree.folders
      .flatMap((folder) => callsIn(tree, folder))
      .filter(isLacking)
      .map(breachOf),
    ...tree.folders
      .filter((folder) => endsTasks(tree, folder))
      .flatMap((folder) =>
        callsIn(tree, folder)
          .filter(({ call }) => call.name === 'createService' && !says(call.arguments[0]))
          .map(breachOf),
      ),
  ],
};

interface FoundCall {
  readonly file: string;
  readonly call: Call;
}

function callsIn(tree: Tree, folder: string): FoundCall[] {
  return tree.deployed
    .filter(({ path }) => path.startsWith(`${folder}/`))
    .flatMap(({ path: file }) => tree.repository.codeAt(file).calls.map((call) => ({ file, call })));
}

function isLacking({ call }: FoundCall): boolean {
  const place = ENDING[call.name];
  return place !== undefined && !says(call.arguments[place]);
}

/** Whether the code of a service consumes tracked tasks, or cancels tasks. */
function endsTasks(tree: Tree, folder: string): boolean {
  return callsIn(tree, folder).some(
    ({ call }) => call.name === 'createTrackedConsumer' || /(^|\.)tasks\.cancel$/.test(call.path),
  );
}

function breachOf({ file, call: { name, line } }: FoundCall) {
  return {
    at: { file, line },
    found: `${name} is not given the contracts that its tasks may lead to, so what follows them is not sent`,
    expected:
      'Write contracts: allContracts among its options, with allContracts of @baton/common/contracts/all',
  };
}

/** Whether options have `contracts`, or take in others that may have it. Options that are not written out may. */
function says(options: AstNode | undefined): boolean {
  if (options?.type !== 'ObjectExpression') return options !== undefined;
  const properties = options['properties'] as (AstNode & { readonly key?: { readonly name?: string } })[];
  return properties.some(({ type, key }) => type === 'SpreadElement' || key?.name === 'contracts');
}
