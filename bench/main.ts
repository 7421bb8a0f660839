import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Brokers } from './brokers/brokers.ts';
import { contenderNames, contenders } from './contenders/contenders.ts';
import { machine } from './machine.ts';
import { allMeasures } from './measures/all.ts';
import { readOptions } from './options.ts';
import { Progress } from './progress.ts';
import { writePage } from './report/page.ts';
import type { Results } from './results.ts';
import { type Found, Rounds } from './rounds.ts';
import { targetsForTerminal } from './terminal-table.ts';

const DOCS = fileURLToPath(new URL('../docs', import.meta.url));
const INTERRUPTED = 130;
/** After an interrupt the current part has this long to end by itself. */
const UNWIND_MS = 3000;

const options = readOptions({ measures: allMeasures, contenders: contenderNames });
const folder = mkdtempSync(join(tmpdir(), 'baton-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const stopped = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, interrupt);
process.exit(await run());

/** Resolves to the exit status: 1 if a measure failed. */
async function run(): Promise<number> {
  const brokers = new Brokers();
  const { mode, measures, out } = options;
  const to = out ?? (mode === 'full' ? DOCS : mkdtempSync(join(tmpdir(), 'baton-bench-results-')));
  try {
    const { results, failed } = await measure(brokers, to);
    process.stdout.write(`${targetsForTerminal(results)}\nWritten: ${join(to, 'performance.md')}\n`);
    process.stdout.write(`${measures.length - failed} passed, ${failed} failed\n`);
    return failed > 0 ? 1 : 0;
  } catch (error) {
    if (!stopped.signal.aborted) throw error;
    return INTERRUPTED;
  } finally {
    await brokers.stop();
  }
}

/** Runs all measures, and writes the results after each one: a late failure must not lose an hour's work. */
async function measure(
  brokers: Brokers,
  to: string,
): Promise<{ readonly results: Results; readonly failed: number }> {
  const startedAt = new Date();
  const { mode, measures, rounds } = options;
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const { present, absent } = await contenders(options.contenders, say);
  const progress = new Progress(measures.reduce((sum, each) => sum + (rounds ?? each.rounds[mode]), 0));
  const named = options.contenders !== undefined;
  const { signal } = stopped;
  const all = new Rounds({ mode, named, rounds, contenders: present, brokers, folder, signal, progress });
  const resultsOf = async (found: Found): Promise<Results> => ({
    startedAt: startedAt.toISOString(),
    durationSeconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
    mode,
    machine: machine(),
    versions: versionsOf([...present, ...(await brokers.started())]),
    absent: [...absent, ...found.absent],
    samples: found.samples,
  });
  try {
    for (const each of measures) await writePage(await resultsOf(await all.run(each)), to);
  } finally {
    progress.stop();
  }
  return { results: await resultsOf(all.found), failed: all.found.failed.size };
}

function versionsOf(
  all: readonly { readonly name: string; readonly version: string }[],
): Results['versions'] {
  return Object.fromEntries(all.map(({ name, version }) => [name, version]));
}

function interrupt(): void {
  process.stderr.write('Interrupted\n');
  stopped.abort(new Error('The bench was interrupted'));
  setTimeout(() => process.exit(INTERRUPTED), UNWIND_MS);
}
