import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Presets, SingleBar } from 'cli-progress';

/** Histories of one process, about a minute. Then a new process continues. */
const SHARE = 20_000;
const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

const { values } = parseArgs({
  options: {
    histories: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
const total = Number(values.histories);
const seed = Number(values.seed);
const shares = Array.from({ length: Math.ceil(total / SHARE) }, (_, index) => ({
  seed: seed + index,
  histories: Math.min(SHARE, total - index * SHARE),
}));
process.stdout.write(`model: ${total} histories in ${shares.length} shares, --seed ${seed}\n`);
const bar = process.stderr.isTTY
  ? new SingleBar(
      { format: ' {bar} {value}/{total} histories, {eta_formatted} left' },
      Presets.shades_classic,
    )
  : undefined;
bar?.start(total, 0);
const startedAtMs = performance.now();
let kept = 0;

// One process for each core. Each takes the next share, until one finds a broken promise
const queue = shares.values();
const lane = async (): Promise<void> => {
  for (const share of queue) {
    if (process.exitCode) return;
    await play(share);
  }
};
await Promise.all(Array.from({ length: availableParallelism() }, lane));
bar?.stop();
const minutes = Math.round((performance.now() - startedAtMs) / 60_000);
if (!process.exitCode) process.stdout.write(`every promise held in ${kept} histories, ${minutes} minutes\n`);

async function play(share: (typeof shares)[number]): Promise<void> {
  const args = [MAIN, '--histories', String(share.histories), '--seed', String(share.seed)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (child.exitCode === 0) {
    kept += share.histories;
    bar?.update(kept);
    return;
  }
  process.exitCode = 1;
  process.stdout.write(output);
}
