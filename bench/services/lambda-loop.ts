import { createHistogram } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { ORDER } from './environment.ts';

// Calls a function as a warm Lambda does, in a process of its own: one event after the other, each parsed from its text

/** The result of the calls. */
export interface LambdaResult {
  /** Calls per second. */
  readonly throughput: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly answered: number;
  readonly failed: number;
  /** CPU time of the process while it called, in milliseconds. */
  readonly cpuMs: number;
}

type Handler = (event: APIGatewayProxyEventV2, context: object) => Promise<{ readonly statusCode: number }>;

const ACCEPTED = 202;
const EVENT = JSON.stringify(postOfOrder());

const [file = '', seconds = ''] = process.argv.slice(2);
const { handler } = (await import(pathToFileURL(file).href)) as { handler: Handler };
const ms = Number(seconds) * 1000;
await callFor(ms / 2);
process.send?.(await callFor(ms));

async function callFor(limitMs: number): Promise<LambdaResult> {
  const latencies = createHistogram();
  let [answered, failed] = [0, 0];
  const cpu = process.cpuUsage();
  const startedAtMs = performance.now();
  while (performance.now() - startedAtMs < limitMs) {
    const calledAtMs = performance.now();
    const { statusCode } = await handler(JSON.parse(EVENT) as APIGatewayProxyEventV2, {});
    latencies.record(Math.ceil((performance.now() - calledAtMs) * 1e6));
    if (statusCode === ACCEPTED) answered += 1;
    else failed += 1;
    // Let the event loop turn, as between two invocations
    await nextTurn();
  }
  const { user, system } = process.cpuUsage(cpu);
  return {
    throughput: ((answered + failed) * 1000) / (performance.now() - startedAtMs),
    p50Ms: latencies.percentile(50) / 1e6,
    p99Ms: latencies.percentile(99) / 1e6,
    answered,
    failed,
    cpuMs: (user + system) / 1000,
  };
}

/** An event of `POST /orders` in payload format 2.0, with the headers that API Gateway adds. */
function postOfOrder(): APIGatewayProxyEventV2 {
  return {
    version: '2.0',
    routeKey: 'ANY /orders',
    rawPath: '/orders',
    rawQueryString: '',
    headers: {
      accept: '*/*',
      'content-length': String(ORDER.length),
      'content-type': 'application/json',
      host: 'abcdefghij.execute-api.us-east-1.amazonaws.com',
      'user-agent': 'bench',
      'x-amzn-trace-id': 'Root=1-66f0a1b2-0123456789abcdef01234567',
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
    },
    requestContext: {
      accountId: '000000000000',
      apiId: 'abcdefghij',
      domainName: 'abcdefghij.execute-api.us-east-1.amazonaws.com',
      domainPrefix: 'abcdefghij',
      http: {
        method: 'POST',
        path: '/orders',
        protocol: 'HTTP/1.1',
        sourceIp: '192.0.2.1',
        userAgent: 'bench',
      },
      requestId: 'AbCdEfGhIjKlMnO=',
      routeKey: 'ANY /orders',
      stage: '$default',
      time: '22/Nov/2026:00:00:00 +0000',
      timeEpoch: 1_795_305_600_000,
    },
    body: ORDER,
    isBase64Encoded: false,
  };
}
