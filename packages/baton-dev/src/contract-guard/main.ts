// Writes each contract to its file in common/contracts/released, unless that breaks what was released.
import { relative } from 'node:path';
import process from 'node:process';
import { describeContract } from './contract.ts';
import { readContracts } from '../stack/contracts.ts';
import { readReleased, RELEASED, writeReleased } from './contract-files.ts';
import { guard } from './guard.ts';
import { print, printError } from '../terminal/print.ts';

const folder = relative(process.cwd(), RELEASED);
try {
  const contracts = (await readContracts()).map(describeContract);
  const { toWrite, refused, raised } = guard(await readReleased(RELEASED), contracts, folder);
  if (refused.length > 0) throw new TypeError(`Nothing was written:\n${refused.join('\n')}`);
  await writeReleased(RELEASED, toWrite);
  for (const line of raised) print(`${line}\n`);
  const names = toWrite.map(({ name, version }) => `${name} ${version}`).join(', ');
  print(names ? `Written to ${folder}: ${names}\n` : `All ${contracts.length} contracts are in ${folder}.\n`);
} catch (error) {
  printError(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
