// Writes the Dockerfile of each service and of the worker: npm run dockerfiles
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { writtenDockerfiles } from './dockerfile.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

const stale = writtenDockerfiles(ROOT).filter(({ text, found }) => text !== found);
for (const { path, text } of stale) {
  writeFileSync(join(ROOT, path), text);
  process.stdout.write(`${path}\n`);
}
if (stale.length === 0) process.stdout.write('All Dockerfiles are up to date.\n');
