// The folder of contracts.
import type { Rule } from './rule.ts';
import { CONTRACTS_FOLDER } from './paths.ts';

const LIBRARY = 'baton-tasks';

/** The contract guard and the stack see all contracts. */
export const contractsInFolder: Rule = {
  name: 'contracts are defined in files of common/contracts and exported',
  breaches: (tree) =>
    tree.deployed.flatMap((source) => {
      const { repository, exported } = tree;
      const names = source.imports
        .filter(({ request }) => request === LIBRARY)
        .flatMap((each) => each.names)
        .filter(({ imported }) => imported === 'defineTask' || imported === '*')
        .map(({ imported, local }) => (imported === '*' ? `${local}.defineTask` : local));
      if (names.length === 0) return [];
      const file = source.path.slice(CONTRACTS_FOLDER.length + 1);
      const isThere = source.path.startsWith(`${CONTRACTS_FOLDER}/`) && !file.includes('/');
      const known = new Set(exported.filter((each) => each.file === file).map(({ name }) => name));
      const lines = source.text.split('\n');
      const defined = repository.codeAt(source.path).calls.filter(({ path }) => names.includes(path));
      return defined
        .filter(
          ({ makes = '', line }) => !isThere || (lines[line - 1]?.startsWith('const ') && !known.has(makes)),
        )
        .map(({ line, makes = 'a contract' }) => ({
          at: { file: source.path, line },
          found: isThere
            ? `it does not export ${makes}: no rule and no npm run contracts sees it`
            : `it defines ${makes} outside ${CONTRACTS_FOLDER}: no rule and no npm run contracts sees it`,
          expected: isThere
            ? `Write export const ${makes}`
            : `Move it to a file of ${CONTRACTS_FOLDER}, and export it`,
        }));
    }),
};
