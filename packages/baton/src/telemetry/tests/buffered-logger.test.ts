import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { bufferedLogger } from '../buffered-logger.ts';
import { createLogger } from '../logger.ts';

const run = promisify(execFile);
const turn = () => new Promise((resolve) => setImmediate(resolve));

function logger() {
  const writes: string[] = [];
  const to = { write: (text: string) => void writes.push(text) };
  return { logger: createLogger({ service: 'tests', to }).child({ worker: 'w-1' }), writes };
}

test('lines of one turn of the event loop are written together at its end, in their order', async () => {
  const { logger: own, writes } = logger();
  const gathered = bufferedLogger(own);
  gathered.info({ attempt: 1 }, 'first');
  await Promise.resolve();
  gathered.info('second');
  expect(writes).toEqual([]);
  await turn();
  expect(writes).toHaveLength(1);
  const lines = writes[0]
    ?.trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(lines).toMatchObject([
    { level: 'info', service: 'tests', worker: 'w-1', attempt: 1, message: 'first' },
    { level: 'info', service: 'tests', worker: 'w-1', message: 'second' },
  ]);
  gathered.info('third');
  await turn();
  expect(writes).toHaveLength(2);
});

test('lines of the original logger are still written at once', () => {
  const { logger: own, writes } = logger();
  bufferedLogger(own);
  own.info('at once');
  expect(writes).toHaveLength(1);
});

test('lines that still wait are written when the process exits', async () => {
  const program = `
    import { bufferedLogger } from '${new URL('../buffered-logger.ts', import.meta.url).href}';
    import { createLogger } from '${new URL('../logger.ts', import.meta.url).href}';
    bufferedLogger(createLogger({ service: 'tests' })).info('last words');
    process.exit(0);
  `;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
  expect(JSON.parse(stdout)).toMatchObject({ message: 'last words' });
});
