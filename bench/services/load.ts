import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Bench } from '../bench.ts';
import { ORDER } from './environment.ts';

const AUTOCANNON = fileURLToPath(import.meta.resolve('autocannon'));
const CONNECTIONS = 10;

const run = promisify(execFile);

/** The result of a load. */
export interface LoadResult {
  /** Successful requests per second. */
  readonly throughput: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests with a successful response. */
  readonly answered: number;
  /** Requests without a response, or with an error. */
  readonly failed: number;
}

/** The members of autocannon's result that the bench reads. */
interface CannonResult {
  /** In seconds. */
  readonly duration: number;
  readonly latency: { readonly p50: number; readonly p99: number };
  readonly '2xx': number;
  readonly non2xx: number;
  readonly errors: number;
  readonly timeouts: number;
}

/** Posts orders for a number of seconds over ten connections, from a process of its own. */
export function postOrdersFor(seconds: number, url: string, bench: Bench): Promise<LoadResult> {
  return cannon(['--duration', String(seconds)], url, bench);
}

/** Posts a number of orders over ten connections, from a process of its own. */
export function postOrders(count: number, url: string, bench: Bench): Promise<LoadResult> {
  return cannon(['--amount', String(count)], url, bench);
}

async function cannon(args: readonly string[], url: string, { signal }: Bench): Promise<LoadResult> {
  const request = ['--method', 'POST', '--headers', 'content-type=application/json', '--body', ORDER];
  const options = ['--json', '--connections', String(CONNECTIONS), ...request, ...args];
  const command = [AUTOCANNON, ...options, `${url}/orders`];
  const { stdout } = await run(process.execPath, command, { signal });
  const result = JSON.parse(stdout) as CannonResult;
  return {
    throughput: result['2xx'] / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    answered: result['2xx'],
    failed: result.non2xx + result.errors + result.timeouts,
  };
}
