import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Brokers } from './brokers/brokers.ts';
import { contenders } from './contenders/contenders.ts';
import { machine } from './machine.ts';
import { allMeasures } from './measures/all.ts';
import { readOptions } from './options.ts';
import { Progress } from './progress.ts';
import type { Results } from './results.ts';
import { type Found, Rounds } from './rounds.ts';

const DOCS = fileURLToPath(new URL('../docs', import.meta.url));
const INTERRUPTED = 130;

const options = readOptions(allMeasures);
const stopped = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => stopped.abort(new Error('The bench was interrupted')));
process.exit(await run());

/** Resolves to the exit status: 1 where a measure failed. */
async function run(): Promise<number> {
  const startedAt = new Date();
  const folder = mkdtempSync(join(tmpdir(), 'baton-bench-'));
  const brokers = new Brokers();
  try {
    const { present, absent } = await contenders(options);
    const found = await measure(present, brokers, folder);
    const results: Results = {
      startedAt: startedAt.toISOString(),
      durationSeconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
      mode: options.mode,
      machine: machine(),
      versions: { ...versionsOf(present), ...versionsOf(await brokers.started()) },
      absent: [...absent, ...found.absent],
      samples: found.samples,
    };
    const to =
      options.out ?? (options.mode === 'full' ? DOCS : mkdtempSync(join(tmpdir(), 'baton-bench-results-')));
    await write(results, to);
    const failed = found.failed.size;
    process.stdout.write(`Written to ${to}\n${options.measures.length - failed} passed, ${failed} failed\n`);
    return failed > 0 ? 1 : 0;
  } catch (error) {
    if (!stopped.signal.aborted) throw error;
    process.stderr.write('Interrupted: nothing was written\n');
    return INTERRUPTED;
  } finally {
    await brokers.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  present: Awaited<ReturnType<typeof contenders>>['present'],
  brokers: Brokers,
  folder: string,
): Promise<Found> {
  const { mode, rounds, measures } = options;
  const all = measures.reduce((sum, each) => sum + (rounds ?? each.rounds[mode]), 0);
  const progress = new Progress(all);
  const { signal } = stopped;
  try {
    return await new Rounds({ mode, rounds, contenders: present, brokers, folder, signal, progress }).run(
      measures,
    );
  } finally {
    progress.stop();
  }
}

async function write(results: Results, to: string): Promise<void> {
  mkdirSync(to, { recursive: true });
  writeFileSync(join(to, 'performance.json'), `${JSON.stringify(results, undefined, 1)}\n`);
}

function versionsOf(
  all: readonly { readonly name: string; readonly version: string }[],
): Record<string, string> {
  return Object.fromEntries(all.map(({ name, version }) => [name, version]));
}
