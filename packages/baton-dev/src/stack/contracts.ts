// Reads the contracts of the repository.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TaskContract } from 'baton-tasks';
import { ROOT } from './root.ts';

/** The folder of the contracts. */
export const CONTRACTS = join(ROOT, 'common/contracts');

/** The file whose export `allContracts` lists every contract. */
export const ALL_CONTRACTS = 'common/contracts/all.ts';

/** The file whose export `scheduledContracts` lists every contract that has a schedule. */
export const SCHEDULED = 'common/contracts/scheduled.ts';

/**
 * Every contract that a file of the folder exports, by name.
 *
 * @throws TypeError if two contracts have one name
 */
export async function readContracts(folder: string = CONTRACTS): Promise<TaskContract[]> {
  const files = await readContractFiles(folder);
  // A contract that two files export is one contract
  const contracts = [...new Set([...files.values()].flat())];
  const names = contracts.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new TypeError(`Two contracts of ${folder} have the name ${twice}: expected different names`);
  return contracts.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** The contracts that each file of the folder exports, by the file's name. */
export async function readContractFiles(
  folder: string = CONTRACTS,
): Promise<ReadonlyMap<string, readonly TaskContract[]>> {
  const exported = Map.groupBy(await readExportedContracts(folder), ({ file }) => file);
  return new Map([...exported].map(([file, own]) => [file, own.map(({ contract }) => contract)]));
}

/** A contract as a file exports it. */
export interface ExportedContract {
  /** The file's name in the folder. */
  readonly file: string;
  /** The name of the export. */
  readonly name: string;
  readonly contract: TaskContract;
}

/** The contracts that the files of the folder export, in the order of their names. */
export async function readExportedContracts(folder: string = CONTRACTS): Promise<ExportedContract[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.ts')).toSorted();
  const reading = files.map(async (file) => {
    const module = (await import(pathToFileURL(join(folder, file)).href)) as object;
    return Object.entries(module as Record<string, unknown>).flatMap(([name, contract]) =>
      isContract(contract) ? [{ file, name, contract }] : [],
    );
  });
  return (await Promise.all(reading)).flat();
}

/** The contracts that are listed for their schedules. @throws TypeError unless the file exports `scheduledContracts` */
export function readScheduledContracts(): Promise<readonly TaskContract[]> {
  return readList(SCHEDULED, 'scheduledContracts');
}

/** The contracts that tasks may lead to. @throws TypeError unless the file exports `allContracts` */
export function readListedContracts(): Promise<readonly TaskContract[]> {
  return readList(ALL_CONTRACTS, 'allContracts');
}

async function readList(file: string, name: string): Promise<readonly TaskContract[]> {
  const module = (await import(pathToFileURL(join(ROOT, file)).href)) as Readonly<Record<string, unknown>>;
  if (Array.isArray(module[name])) return module[name] as TaskContract[];
  throw new TypeError(`${file}: expected it to export ${name}, a list of contracts`);
}

function isContract(value: unknown): value is TaskContract {
  return typeof value === 'object' && value !== null && 'timeoutSeconds' in value && 'payload' in value;
}
