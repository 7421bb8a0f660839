import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TaskContract } from 'baton-tasks';
import { ROOT } from './root.ts';

/** Where contracts are defined. */
export const CONTRACTS = join(ROOT, 'common/contracts');

/**
 * Every contract that a file of the folder exports, by name.
 *
 * @throws TypeError when two have one name
 */
export async function readContracts(folder: string = CONTRACTS): Promise<TaskContract[]> {
  const files = await readContractFiles(folder);
  // A contract that two files export is one contract
  const contracts = [...new Set([...files.values()].flat())];
  const names = contracts.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new TypeError(`Two contracts of ${folder} are called ${twice}`);
  return contracts.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** The contracts that each file of the folder exports, by the file's name. */
export async function readContractFiles(
  folder: string = CONTRACTS,
): Promise<ReadonlyMap<string, readonly TaskContract[]>> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.ts')).toSorted();
  const reading = files.map(async (name): Promise<[string, TaskContract[]]> => {
    const module = (await import(pathToFileURL(join(folder, name)).href)) as object;
    return [name, Object.values(module as Record<string, unknown>).filter(isContract)];
  });
  return new Map(await Promise.all(reading));
}

function isContract(value: unknown): value is TaskContract {
  return typeof value === 'object' && value !== null && 'timeoutSeconds' in value && 'payload' in value;
}
