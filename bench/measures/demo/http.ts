import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench, Measure } from '../../bench.ts';
import { Backends } from '../../services/backends.ts';
import { makeBundles } from '../../services/bundles.ts';
import { ContainerSystem, type Server } from '../../services/container-system.ts';
import { startEmbedded } from '../../services/embedded-system.ts';
import type { LambdaResult } from '../../services/lambda-loop.ts';
import { type LoadResult, postOrders, postOrdersFor } from '../../services/load.ts';

const SECONDS = { full: 10, quick: 1 };
/** A count, not a time: on a busy machine a second may be too short for one response. */
const QUICK_ORDERS = 30;
const LAMBDA_LOOP = fileURLToPath(new URL('../../services/lambda-loop.ts', import.meta.url));
/** Time limit, because a function that cannot start reports nothing. */
const LAMBDA_MS = 60_000;
const MODULE = 'functions/order-service/api';

type Result = LoadResult & Pick<LambdaResult, 'cpuMs'>;

const FORMS: readonly (readonly [contender: string, post: (bench: Bench) => Promise<Result>])[] = [
  ['embedded', embedded],
  ['container-server', containerServer],
  ['lambda-in-process', lambdaInProcess],
];

/** Accepted orders per second of order-service in three forms: two over ten connections, the function one by one. */
export const httpMeasure: Measure = {
  id: 'http',
  title: 'POST /orders',
  rounds: { full: 3, quick: 1 },
  run: async (bench) => {
    for (const [contender, post] of FORMS) {
      await bench.attempt({ contender }, async () => {
        const { throughput, p50Ms, p99Ms, answered, failed, cpuMs } = await post(bench);
        if (failed > 0)
          bench.fail(`${contender}: ${failed} of ${failed + answered} orders were not accepted`);
        bench.record({ contender, figure: 'throughput', unit: 'requests/s', value: throughput });
        bench.record({ contender, figure: 'p50', unit: 'ms', value: p50Ms });
        bench.record({ contender, figure: 'p99', unit: 'ms', value: p99Ms });
        bench.record({ contender, figure: 'cpu', unit: 'us', value: (cpuMs * 1000) / answered });
      });
    }
  },
};

/** Measures the embedded runtime: emulators, functions and a worker in one process. */
async function embedded(bench: Bench): Promise<Result> {
  const system = await startEmbedded('node', bench);
  try {
    return await posted(system, bench);
  } finally {
    await system.process.stop('SIGKILL');
  }
}

/** Measures the server of order-service. SQS and DynamoDB run in another process. */
async function containerServer(bench: Bench): Promise<Result> {
  const system = await ContainerSystem.start(['order-service'], bench);
  try {
    return await posted(system.server('order-service'), bench);
  } finally {
    await system.stop();
  }
}

async function posted({ process: own, url }: Server, bench: Bench): Promise<Result> {
  const full = bench.mode === 'full';
  if (full) await postOrdersFor(SECONDS.full / 2, url, bench);
  const before = await own.usage();
  const result = full
    ? await postOrdersFor(SECONDS.full, url, bench)
    : await postOrders(QUICK_ORDERS, url, bench);
  const after = await own.usage();
  return { ...result, cpuMs: after.cpuMs - before.cpuMs };
}

async function lambdaInProcess(bench: Bench): Promise<Result> {
  const bundles = await makeBundles(join(bench.folder, 'bundles'), [MODULE]);
  const backends = await Backends.start({});
  const output = openSync(join(bench.folder, 'lambda-loop.log'), 'w');
  try {
    const child = fork(LAMBDA_LOOP, [bundles.get(MODULE) ?? '', String(SECONDS[bench.mode])], {
      env: { PATH: process.env['PATH'], ...backends.environment },
      execArgv: [],
      signal: bench.signal,
      stdio: ['ignore', output, 'inherit', 'ipc'],
    });
    const signal = AbortSignal.any([bench.signal, AbortSignal.timeout(LAMBDA_MS)]);
    const [result] = (await once(child, 'message', { signal })) as [LambdaResult];
    return result;
  } finally {
    closeSync(output);
    await backends.stop();
  }
}
