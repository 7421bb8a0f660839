import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Measure } from '../bench.ts';
import { functionEntries, makeBundles } from '../services/bundles.ts';
import { standInEnvironment } from '../services/environment.ts';

const SAY_CPU = 'const { user, system } = process.cpuUsage(); process.stdout.write(String(user + system));';

const run = promisify(execFile);

/** The size of each function's bundle, and the CPU of its import, with which a cold start begins. */
export const bundleMeasure: Measure = {
  id: 'bundle',
  title: 'Bundles of the functions',
  rounds: { full: 7, quick: 1 },
  run: async (bench) => {
    const entries = functionEntries();
    bench.say('bundling');
    const modules = entries.map(({ module }) => module);
    const files = await makeBundles(join(bench.folder, 'bundles'), modules);
    for (const { name, module } of entries) {
      bench.say(`importing ${name}`);
      const file = files.get(module) ?? '';
      const { size } = await stat(file);
      bench.record({ contender: name, figure: 'size', unit: 'kB', value: size / 1000 });
      // Subtracts the CPU of Node itself
      const value = (await cpuMsOf(importOf(file))) - (await cpuMsOf(''));
      bench.record({ contender: name, figure: 'import-cpu', unit: 'ms', value });
    }
  },
};

function importOf(file: string): string {
  return `await import(${JSON.stringify(pathToFileURL(file).href)});`;
}

/** The CPU time of a new process that runs `code`, in milliseconds. */
async function cpuMsOf(code: string): Promise<number> {
  const args = ['--input-type=module', '--eval', `${code} ${SAY_CPU}`];
  // Silent, because the figure is read from standard output
  const env = { PATH: process.env['PATH'], ...standInEnvironment, LOG_LEVEL: 'silent' };
  const { stdout } = await run(process.execPath, args, { env });
  return Number(stdout) / 1000;
}
