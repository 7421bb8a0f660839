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
import { Rounds } from './rounds.ts';
import { targetsForTerminal } from './terminal-table.ts';

const DOCS = fileURLToPath(new URL('../docs', import.meta.url));
const INTERRUPTED = 130;
/** What still runs when the bench is interrupted has so long to end by itself. */
const UNWIND_MS = 3000;

const options = readOptions({ measures: allMeasures, contenders: contenderNames });
const folder = mkdtempSync(join(tmpdir(), 'baton-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const stopped = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, interrupt);
process.exit(await run());

/** Resolves to the exit status: 1 where a measure failed. */
async function run(): Promise<number> {
  const brokers = new Brokers();
  try {
    const { results, failed } = await measure(brokers);
    const to =
      options.out ?? (options.mode === 'full' ? DOCS : mkdtempSync(join(tmpdir(), 'baton-bench-results-')));
    const [page] = await writePage(results, to);
    process.stdout.write(`${targetsForTerminal(results)}\nWritten: ${page}\n`);
    process.stdout.write(`${options.measures.length - failed} passed, ${failed} failed\n`);
    return failed > 0 ? 1 : 0;
  } catch (error) {
    if (!stopped.signal.aborted) throw error;
    return INTERRUPTED;
  } finally {
    await brokers.stop();
  }
}

async function measure(brokers: Brokers): Promise<{ readonly results: Results; readonly failed: number }> {
  const startedAt = new Date();
  const { mode, measures, rounds } = options;
  const { present, absent } = await contenders(options.contenders, (text) =>
    process.stderr.write(`${text}\n`),
  );
  const progress = new Progress(measures.reduce((sum, each) => sum + (rounds ?? each.rounds[mode]), 0));
  const named = options.contenders !== undefined;
  const { signal } = stopped;
  const all = new Rounds({ mode, named, rounds, contenders: present, brokers, folder, signal, progress });
  const found = await all.run(measures).finally(() => progress.stop());
  const versions = [...present, ...(await brokers.started())].map(({ name, version }) => [name, version]);
  const results: Results = {
    startedAt: startedAt.toISOString(),
    durationSeconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
    mode,
    machine: machine(),
    versions: Object.fromEntries(versions) as Record<string, string>,
    absent: [...absent, ...found.absent],
    samples: found.samples,
  };
  return { results, failed: found.failed.size };
}

function interrupt(): void {
  process.stderr.write('Interrupted: nothing is written\n');
  stopped.abort(new Error('The bench was interrupted'));
  setTimeout(() => process.exit(INTERRUPTED), UNWIND_MS);
}
