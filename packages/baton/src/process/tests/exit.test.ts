import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const IMPORTS = `import { exitProcess, exitWithin } from '${new URL('../exit.ts', import.meta.url).href}';`;

/** How a program ended. */
interface End {
  readonly status: number | null;
  readonly stdout: string;
  readonly ms: number;
}

async function run(program: string): Promise<End> {
  const beganAtMs = performance.now();
  const { promise, resolve } = Promise.withResolvers<End>();
  const child = execFile(
    process.execPath,
    ['--input-type=module', '--eval', `${IMPORTS}\n${program}`],
    { timeout: 15_000, killSignal: 'SIGKILL' },
    (_error, stdout) => resolve({ status: child.exitCode, stdout, ms: performance.now() - beganAtMs }),
  );
  return promise;
}

const LAST_WORDS = "process.on('exit', (status) => console.log('last words', status));";

test('a process writes its last log lines, and ends with its status', async () => {
  const { status, stdout } = await run(`${LAST_WORDS} exitProcess(3);`);
  expect([status, stdout]).toEqual([3, 'last words 3\n']);
});

test('a process ends although a file or a name server blocks a thread for ever', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'baton-end-'));
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const program = `
    import { open } from 'node:fs';
    open(${JSON.stringify(pipe)}, () => undefined);
    ${LAST_WORDS}
    const blocked = () => process.getActiveResourcesInfo().includes('FSReqCallback');
    setInterval(() => blocked() && exitProcess(0), 10);
  `;
  const { status, stdout, ms } = await run(program);
  rmSync(folder, { recursive: true });
  expect([status, stdout]).toEqual([0, 'last words 0\n']);
  expect(ms).toBeLessThan(10_000);
});

test('a process ends although a worker thread is blocked in a system call', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'baton-end-'));
  const begun = join(folder, 'begun');
  const program = `
    import { existsSync } from 'node:fs';
    import { Worker } from 'node:worker_threads';
    new Worker('process.getBuiltinModule("child_process").execSync("touch ${begun}; sleep 12")', { eval: true });
    setInterval(() => existsSync('${begun}') && exitProcess(4), 10);
  `;
  const { status, ms } = await run(program);
  rmSync(folder, { recursive: true });
  expect(status).toBe(4);
  expect(ms).toBeLessThan(10_000);
});

test('a process that does not end in time logs this, and ends with status 124', async () => {
  const program = `
    setInterval(() => undefined, 1000);
    exitWithin(100, () => console.log('late'));
  `;
  await expect(run(program)).resolves.toMatchObject({ status: 124, stdout: 'late\n' });
});

test('a time limit for the end does not keep an ended process alive', async () => {
  const { status, ms } = await run('exitWithin(60_000, () => console.log("late"));');
  expect(status).toBe(0);
  expect(ms).toBeLessThan(10_000);
});
