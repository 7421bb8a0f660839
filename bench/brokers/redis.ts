import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { eventually } from 'baton-dev/testing/eventually';
import { freePort } from 'baton-dev/testing/program';
import { type Broker, MissingError } from './broker.ts';
import type { RequestCounts } from './counting-server.ts';

const HOST = '127.0.0.1';
const START_MS = 10_000;
const call = promisify(execFile);

/** A script that counts the unfinished tasks of a BullMQ queue: in lists, and in sets sorted by time. */
const HELD = `local held = 0
for _, list in ipairs({ 'wait', 'paused', 'active' }) do held = held + redis.call('LLEN', ARGV[1] .. list) end
for _, set in ipairs({ 'delayed', 'prioritized' }) do held = held + redis.call('ZCARD', ARGV[1] .. set) end
return held`;

/** Redis, which counts its commands. */
export interface Redis extends Broker {
  /** Counts of commands since the last call, such as `evalsha`, including those of scripts. Resets them. */
  takeCounts(): Promise<RequestCounts>;
}

/**
 * Starts a Redis that keeps nothing on disk. BullMQ's guide recommends an append-only file in production. Redis is
 * fastest without one, so the comparison favours BullMQ.
 *
 * @throws MissingError if this machine has no Redis
 */
export async function startRedis(): Promise<Redis> {
  const version = await versionOf();
  const port = await freePort();
  const server = spawn('redis-server', optionsOf(port), { stdio: 'ignore' });
  const ask = (...words: string[]): Promise<string> => cli(port, ...words);
  await eventually('Redis answers', () => answers(server, ask), START_MS);
  let queues = 0;
  return {
    name: 'redis',
    version,
    environment: { REDIS_URL: `redis://${HOST}:${port}` },
    // BullMQ creates its queues by itself, and its workers set the lease
    createQueue: () => Promise.resolve(`redis://${HOST}:${port}/bench-${++queues}`),
    messagesIn: async (queueUrl) => Number(await ask('EVAL', HELD, '0', keyOf(queueUrl))),
    // There is only one queue at a time
    deleteQueue: async () => void (await ask('FLUSHALL', 'SYNC')),
    takeCounts: async () => {
      const counts = await ask('INFO', 'commandstats');
      await ask('CONFIG', 'RESETSTAT');
      return countsOf(counts);
    },
    stop: async () => {
      if (server.exitCode !== null || server.signalCode !== null) return;
      server.kill('SIGKILL');
      await once(server, 'exit');
    },
  };
}

function optionsOf(port: number): string[] {
  const options = { port, bind: HOST, save: '', appendonly: 'no', 'maxmemory-policy': 'noeviction' };
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

async function versionOf(): Promise<string> {
  const [said] = await Promise.all(
    ['redis-server', 'redis-cli'].map((each) => call(each, ['--version'])),
  ).catch(() => []);
  if (!said) throw new MissingError('no redis-server and redis-cli on this machine');
  return /v=([\d.]+)/.exec(said.stdout)?.[1] ?? 'unknown';
}

async function answers(server: ChildProcess, ask: (word: string) => Promise<string>): Promise<boolean> {
  if (server.exitCode !== null) throw new Error('Redis ended before it answered');
  return ask('PING').then(
    (said) => said === 'PONG',
    () => false,
  );
}

async function cli(port: number, ...words: string[]): Promise<string> {
  const { stdout } = await call('redis-cli', ['-h', HOST, '-p', String(port), '-e', ...words]);
  return stdout.trim();
}

/** The prefix of all keys of a BullMQ queue. */
function keyOf(queueUrl: string): string {
  return `bull:${queueUrl.slice(queueUrl.lastIndexOf('/') + 1)}:`;
}

function countsOf(said: string): RequestCounts {
  const lines = [...said.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
  return Object.fromEntries(lines.map(([, command = '', calls]) => [command, Number(calls)]));
}
