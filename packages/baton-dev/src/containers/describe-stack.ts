// Writes the file that the gateway and resources read: node packages/baton-dev/src/containers/describe-stack.ts FILE
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { readStack } from '../stack/described-stack.ts';
import type { StackFile } from './stack-file.ts';

/** The stage that containers run. */
const STAGE = 'dev';

const { functions, resources } = await readStack(STAGE);
const file: StackFile = { stage: STAGE, functions, resources };
writeFileSync(process.argv[2] ?? 'stack.json', JSON.stringify(file));
