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
  const files = (await readdir(folder)).filter((name) => name.endsWith('.ts')).toSorted();
  const modules = await Promise.all(
    files.map((name) => import(pathToFileURL(join(folder, name)).href) as Promise<object>),
  );
  // A contract that two files export is one contract
  const contracts = [...new Set(modules.flatMap((module): unknown[] => Object.values(module)))].filter(
    isContract,
  );
  const names = contracts.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new TypeError(`Two contracts of ${folder} are called ${twice}`);
  return contracts.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function isContract(value: unknown): value is TaskContract {
  return typeof value === 'object' && value !== null && 'timeoutSeconds' in value && 'payload' in value;
}
