// Writes each contract to its file in common/contracts/released, unless that breaks what was released.
import { relative } from 'node:path';
import process from 'node:process';
import { describeContract } from './contract.ts';
import { readContracts } from '../stack/contracts.ts';
import { readReleased, RELEASED, writeReleased } from './contract-files.ts';
import { guard } from './guard.ts';

const folder = relative(process.cwd(), RELEASED);
try {
  const contracts = (await readContracts()).map(describeContract);
  const { toWrite, refused, raised } = guard(await readReleased(RELEASED), contracts, folder);
  if (refused.length > 0) throw new TypeError(`Nothing was written:\n${refused.join('\n')}`);
  await writeReleased(RELEASED, toWrite);
  for (const line of raised) console.log(line);
  const names = toWrite.map(({ name, version }) => `${name} ${version}`).join(', ');
  console.log(
    names ? `Written to ${folder}: ${names}` : `All ${contracts.length} contracts are in ${folder}.`,
  );
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
