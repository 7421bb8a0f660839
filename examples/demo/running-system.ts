import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SERVERLESS = fileURLToPath(new URL('../../node_modules/serverless/bin/serverless.js', import.meta.url));
const START_PATIENCE_MS = 30_000;
const POLL_MS = 100;

/** The system that a demo runs against. */
export interface RunningSystem {
  /** Stops it, if the demo started it. */
  stop(): Promise<void>;
}

/**
 * Uses the system that answers at `url`, or starts the embedded runtime there for the time of the demo.
 *
 * @param own - variables that need a system started by the demo; undefined if any system will do
 * @throws Error when none can be started, or when one runs there already and `own` is given
 */
export async function ensureRunning(
  url: string,
  own?: Readonly<Record<string, string>>,
): Promise<RunningSystem> {
  if (await answers(url)) {
    if (!own) return { stop: () => Promise.resolve() };
    throw new Error(
      `A system runs at ${url} already, and its mails go where its own SMTP_URL says. With --smtp the demo has to start it: stop it, or set HTTP_PORT and the other ports to free ones.`,
    );
  }
  const { hostname, port } = new URL(url);
  if (hostname !== '127.0.0.1' && hostname !== 'localhost') throw new Error(`Nothing answers at ${url}`);
  process.stdout.write(`Nothing answers at ${url}: starting the embedded runtime.\n`);
  const child = spawn(process.execPath, [SERVERLESS, 'offline'], {
    cwd: ROOT,
    env: { ...process.env, ...own, HTTP_PORT: port || '80', LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  const deadlineMs = Date.now() + START_PATIENCE_MS;
  while (!(await answers(url))) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadlineMs) {
      await stop(child);
      throw new Error(`The embedded runtime did not start:\n${Buffer.concat(output).toString()}`);
    }
    await sleep(POLL_MS);
  }
  return { stop: () => stop(child) };
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(`${url}/orders?limit=1`).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok ?? false;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
