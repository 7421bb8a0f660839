// The contract guard: decides whether changed contracts may be released.
import { contractBreaks } from './contract-breaks.ts';
import type { ReleasedContract } from './contract.ts';
import { canonical } from './schema.ts';

/** The command that writes the files of contracts. */
export const COMMAND = 'npm run contracts';

/** The decision about the files of contracts. */
export interface Verdict {
  /** Contracts whose files are missing or outdated, and may be written. */
  readonly toWrite: readonly ReleasedContract[];
  /** Why a file must not be written. If there is any reason, no file is written. */
  readonly refused: readonly string[];
  /** The breaks of contracts whose version was incremented, and what to do about them. */
  readonly raised: readonly string[];
}

/**
 * Compares the contracts of the code with the released ones. A contract with breaks needs a higher version. The file of a
 * removed contract must be deleted by hand, which confirms that none of its messages is in flight.
 *
 * @param folder - the folder of the files, for the messages
 */
export function guard(
  released: ReadonlyMap<string, ReleasedContract>,
  contracts: readonly ReleasedContract[],
  folder: string,
): Verdict {
  const verdict = { toWrite: [] as ReleasedContract[], refused: [] as string[], raised: [] as string[] };
  for (const contract of contracts) {
    const before = released.get(contract.name);
    if (before && canonical(before) === canonical(contract)) continue;
    verdict.toWrite.push(contract);
    const breaks = before ? contractBreaks(before, contract) : [];
    if (before && contract.version < before.version)
      verdict.refused.push(
        `${contract.name} version: was ${before.version}, is now ${contract.version}: expected at least ${before.version}`,
      );
    else if (before && breaks.length > 0 && contract.version > before.version)
      verdict.raised.push(...breaks, howToDeploy(contract));
    else if (before && breaks.length > 0) verdict.refused.push(...breaks, ...howToGoOn(before, folder));
  }
  const names = new Set(contracts.map(({ name }) => name));
  for (const name of released.keys())
    if (!names.has(name))
      verdict.refused.push(
        `${name}: the contract is gone: messages in flight would become dead letters; once there are none, delete ${folder}/${name}.json`,
      );
  return verdict;
}

function howToDeploy({ name, version }: ReleasedContract): string {
  return `${name}: version ${version} is written all the same. Before you deploy it, change it until no such line is left, or wait until no old messages and results are left (docs/guide.md, "Change a contract")`;
}

function howToGoOn({ name, version }: ReleasedContract, folder: string): string[] {
  const file = `${folder}/${name}.json`;
  return [
    `${name}: undo the change, increment its version to ${version + 1} (docs/guide.md, "Change a contract"), or give the changed contract another name`,
    `${name}: if ${file} has a version that you have never deployed, restore it with git checkout, or delete it if it is new, and run this again`,
  ];
}
