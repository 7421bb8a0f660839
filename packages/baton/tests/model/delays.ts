import { parseArgs } from 'node:util';
import { type DelayTrouble, runDelay } from './run-delay.ts';

const DAYS = [3, 14];
const TROUBLES: readonly DelayTrouble[] = ['nothing', 'workers replaced', 'delivered twice'];

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
const times = Number(values.times);
const seed = Number(values.seed);
process.stdout.write(`delays: ${times} times each, --seed ${seed}\n`);

for (const days of DAYS) for (const trouble of TROUBLES) await play(days, trouble);

async function play(days: number, trouble: DelayTrouble): Promise<void> {
  const what = `${days} days, ${trouble}`;
  let latestMs = 0;
  let most = { hops: 0, messages: 0 };
  for (let time = 0; time < times; time += 1) {
    const { broken, lateMs, hops, messages } = await runDelay({ days, trouble, seed: seed + time });
    latestMs = Math.max(latestMs, lateMs);
    most = { hops: Math.max(most.hops, hops), messages: Math.max(most.messages, messages) };
    if (broken.length === 0) continue;
    process.exitCode = 1;
    process.stdout.write(`${what}, seed ${seed + time}: a promise was broken, ${broken.join('\n')}\n`);
  }
  const { hops, messages } = most;
  process.stdout.write(`${what}: at most ${latestMs} ms late, ${hops} hops, ${messages} messages\n`);
}
