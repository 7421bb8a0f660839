import { contractBreaks } from './contract-breaks.ts';
import type { ReleasedContract } from './contract.ts';
import { canonical } from './schema.ts';

/** The command that writes the files of contracts. */
export const COMMAND = 'npm run contracts';

/** What is to become of the files of contracts. */
export interface Verdict {
  /** Contracts whose files are missing or not what they say, and may be written. */
  readonly toWrite: readonly ReleasedContract[];
  /** Why a file must not be written as things are; then none is. */
  readonly refused: readonly string[];
  /** What breaks by contracts whose version was raised for it. */
  readonly raised: readonly string[];
}

/**
 * Compares the contracts of the code with those of the files. A contract that breaks what was released needs a higher
 * version; one that is gone needs its file deleted, which says that none of its messages is in flight.
 *
 * @param folder - where the files are, for the errors
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
        `${contract.name} version: was ${before.version}, is now ${contract.version}: a version is never taken back`,
      );
    else if (before && contract.version > before.version) verdict.raised.push(...breaks);
    else if (before && breaks.length > 0)
      verdict.refused.push(...breaks, howToGoOn(contract.name, before.version));
  }
  const names = new Set(contracts.map(({ name }) => name));
  for (const name of released.keys())
    if (!names.has(name))
      verdict.refused.push(
        `${name}: the contract is gone: messages in flight would be dead letters; once there are none, delete ${folder}/${name}.json`,
      );
  return verdict;
}

function howToGoOn(name: string, version: number): string {
  return `${name}: take that back, or increment its version to ${version + 1} (docs/guide.md, "Change a contract", says what that promises), or give the new one a name of its own`;
}
