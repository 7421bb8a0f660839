import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ROOT } from '../../../stack/root.ts';

const run = promisify(execFile);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-bundled-logs-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What a program says, once it is one bundle as for a deploy. */
async function said(code: string): Promise<string> {
  const entry = join(folder, 'program.ts');
  const pino = join(ROOT, 'node_modules/pino/pino.js');
  await writeFile(entry, `import pino from ${JSON.stringify(pino)};\n${code}`);
  await run('npm', ['run', '--silent', 'bundle', '--', entry, `--outdir=${folder}`], { cwd: ROOT });
  const { stdout } = await run(process.execPath, [join(folder, 'program.mjs')]);
  return stdout;
}

test('a bundle writes log lines without threads, and says that it has none for a transport of pino', async () => {
  const code = `
    pino({}).info('a line');
    try { pino.transport({ target: '/transport.js' }); } catch (error) { console.log(error.message); }`;
  const output = await said(code);
  expect(output).toContain('"msg":"a line"');
  expect(output).toContain(
    'A transport of pino cannot run in a bundle: expected log lines on standard output',
  );
});
