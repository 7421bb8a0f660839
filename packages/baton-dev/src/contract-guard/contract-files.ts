// The files of released contracts.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as z from 'zod';
import { CONTRACTS } from '../stack/contracts.ts';
import { type ReleasedContract, releasedContractSchema } from './contract.ts';

/** The folder of the released contracts, with a file for each. */
export const RELEASED = join(CONTRACTS, 'released');

/**
 * Reads the released contracts, by name.
 *
 * @throws TypeError that names an invalid file
 */
export async function readReleased(folder: string): Promise<Map<string, ReleasedContract>> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).toSorted();
  const contracts = await Promise.all(files.map((name) => readOne(join(folder, name))));
  return new Map(contracts.map((contract) => [contract.name, contract]));
}

async function readOne(path: string): Promise<ReleasedContract> {
  const parsed = releasedContractSchema.safeParse(parseJson(await readFile(path, 'utf8'), path));
  if (!parsed.success)
    throw new TypeError(`${path} is not a released contract: ${z.prettifyError(parsed.error)}`);
  if (parsed.data.name !== basename(path, '.json'))
    throw new TypeError(`${path} contains ${parsed.data.name}: expected the contract in its name`);
  return parsed.data;
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TypeError(`${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

/** Writes contracts, each to its file. */
export async function writeReleased(folder: string, contracts: readonly ReleasedContract[]): Promise<void> {
  await Promise.all(
    contracts.map((contract) =>
      writeFile(join(folder, `${contract.name}.json`), `${JSON.stringify(contract, undefined, 2)}\n`),
    ),
  );
}
