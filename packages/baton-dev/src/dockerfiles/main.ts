// Writes the Dockerfiles of the services, of the worker and of the containers beside them: npm run dockerfiles
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../stack/root.ts';
import { print } from '../terminal/print.ts';
import { writtenDockerfiles } from './dockerfile.ts';

const stale = writtenDockerfiles(ROOT).filter(({ text, found }) => text !== found);
for (const { path, text } of stale) {
  writeFileSync(join(ROOT, path), text);
  print(`${path}\n`);
}
if (stale.length === 0) print('All Dockerfiles are up to date.\n');
