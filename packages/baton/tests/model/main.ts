import { parseArgs } from 'node:util';
import { Presets, SingleBar } from 'cli-progress';
import * as fc from 'fast-check';
import { type History, histories } from './history.ts';
import { runHistory } from './run-history.ts';

const { values } = parseArgs({
  options: {
    histories: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    path: { type: 'string' },
  },
});
const numRuns = Number(values.histories);
const seed = Number(values.seed);
process.stdout.write(`model: ${numRuns} histories, --seed ${seed}\n`);
const bar = process.stderr.isTTY
  ? new SingleBar(
      { format: ' {bar} {value}/{total} histories, {eta_formatted} left' },
      Presets.shades_classic,
    )
  : undefined;
bar?.start(numRuns, 0);
const startedAtMs = performance.now();

const promisesHold = fc.asyncProperty(histories, async (history: History) => {
  bar?.increment();
  const broken = await runHistory(history);
  if (broken.length > 0) throw new Error(broken.join('\n'));
});
const parameters = {
  numRuns,
  seed,
  ...(values.path !== undefined && { path: values.path, endOnFailure: true }),
};
const result = await fc.check(promisesHold, parameters);
bar?.stop();
const seconds = Math.round((performance.now() - startedAtMs) / 1000);
if (result.failed) {
  const history = result.counterexample?.[0];
  process.stdout.write(`A promise was broken ${(result.errorInstance as Error).message}\n`);
  process.stdout.write(`in the history ${JSON.stringify(history)}\n`);
  process.stdout.write(
    `To repeat: node packages/baton/tests/model/main.ts --seed ${result.seed} --path ${result.counterexamplePath}\n`,
  );
} else process.stdout.write(`every promise held in ${result.numRuns} histories, ${seconds} s\n`);
process.exitCode = result.failed ? 1 : 0;
