import type { Bench, Measure } from '../../bench.ts';
import { startEmbedded } from '../../services/embedded-system.ts';
import { OwnProcess } from '../../services/own-process.ts';

const TEST_LINE_MS = 120_000;

/** How long a newcomer waits: from `npm start` to the first 202, and from `npm test` to Jest's first line. */
export const firstRunMeasure: Measure = {
  id: 'first-run',
  title: 'First run',
  rounds: { full: 5, quick: 1 },
  run: async (bench) => {
    bench.say('npm start');
    const first202 = await secondsOf(async () => (await startEmbedded('npm', bench)).process);
    bench.record({ contender: 'baton', figure: 'first-202', unit: 's', value: first202 });
    bench.say('npm test');
    const firstTestLine = await secondsOf(() => startTests(bench));
    bench.record({ contender: 'baton', figure: 'first-test-line', unit: 's', value: firstTestLine });
  },
};

/** The time that `start` takes, in seconds. Stops the process afterwards. */
async function secondsOf(start: () => Promise<OwnProcess>): Promise<number> {
  const startedAtMs = performance.now();
  const own = await start();
  const seconds = (performance.now() - startedAtMs) / 1000;
  await own.stop();
  return seconds;
}

async function startTests(bench: Bench): Promise<OwnProcess> {
  const own = new OwnProcess({ command: ['npm', 'test'], name: 'npm-test', bench });
  await own.until('a line of Jest', TEST_LINE_MS, async () => linesOfJest(own.output)[0]);
  return own;
}

/** The lines of Jest. npm writes what it runs in lines that begin with `>`. */
function linesOfJest(output: string): string[] {
  const whole = output.split('\n').slice(0, -1);
  return whole.filter((line) => line.trim() !== '' && !line.startsWith('> '));
}
