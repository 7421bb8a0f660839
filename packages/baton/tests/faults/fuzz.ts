import { parseArgs } from 'node:util';
import { defineTask, implement } from 'baton-tasks';
import { createLogger } from 'baton-tasks/service';
import { encodeEnvelope, Implementations } from 'baton-tasks/tooling';
import type { Processing } from '../../src/run/processing.ts';
import { processMessage } from '../../src/run/process-message.ts';
import * as fc from 'fast-check';
import * as z from 'zod';

/** Bodies generated at the same time. Limits the memory of a run of a million. */
const CHUNK = 10_000;

const work = defineTask({
  name: 'tests.work',
  queue: 'default',
  payload: z.object({ text: z.string(), list: z.array(z.int()).max(3).default([]) }),
  result: z.object({}),
  retry: { maxAttempts: 3, baseSeconds: 1 },
  timeoutSeconds: 5,
});

let runs = 0;
const processing: Processing = {
  implementations: new Implementations([implement(work, () => ((runs += 1), {}))]),
  send: (async () => ({ taskId: 'sent' })) as never,
  logger: createLogger({ service: 'tests', level: 'silent' }),
  worker: { id: 'w-1', version: '1' },
  unknownTaskPatienceSeconds: 0,
  abortGraceSeconds: 1,
};
const hold = { signal: new AbortController().signal, outlivedBy: () => undefined };

const valid = encodeEnvelope({
  taskId: 't-1',
  task: 'tests.work',
  source: 'tests',
  time: '2026-11-22T10:00:00.000Z',
  trace: { traceId: '1'.repeat(32), spanId: '2'.repeat(16), flags: '01' },
  data: { text: 'hello', list: [1, 2] },
});

/** A valid body with a piece removed, inserted or replaced. */
const mutated = fc
  .tuple(
    fc.nat(valid.length),
    fc.nat(12),
    fc.oneof(
      fc.constant(''),
      fc.string({ maxLength: 8 }),
      fc.constantFrom('{', '"', '[', ',', 'null', '1e999', '\\u0000'),
    ),
  )
  .map(([at, cut, put]) => valid.slice(0, at) + put + valid.slice(at + cut));

/** A valid body with one member, known or unknown, set to any value. */
const changed = fc
  .tuple(
    fc.constantFrom(
      'id',
      'type',
      'source',
      'time',
      'specversion',
      'data',
      'traceparent',
      '__proto__',
      'extra',
    ),
    fc.jsonValue({ maxDepth: 2 }),
  )
  .map(([name, value]) => JSON.stringify({ ...(JSON.parse(valid) as object), [name]: value }));

const bodies = fc.oneof(fc.string(), fc.json({ maxDepth: 2 }), mutated, changed);

/** The result of a fuzz run. */
export interface FuzzResult {
  /** The number of bodies by outcome: `done`, or the reason of a dead letter. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** The number of handlers that ran. */
  readonly runs: number;
}

/** Processes a number of random and mutated bodies from a seed. Rejects if processing throws. */
export async function fuzz(count: number, seed: number): Promise<FuzzResult> {
  const outcomes: Record<string, number> = {};
  const runsBefore = runs;
  for (let begun = 0; begun < count; begun += CHUNK) {
    const numRuns = Math.min(CHUNK, count - begun);
    for (const body of fc.sample(bodies, { numRuns, seed: seed + begun })) {
      const outcome = await outcomeOf(body);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
  }
  return { outcomes, runs: runs - runsBefore };
}

async function outcomeOf(body: string): Promise<string> {
  const message = {
    messageId: 'm-1',
    receiptHandle: '',
    body,
    receiveCount: 1,
    sentAtMs: 0,
    firstReceivedAtMs: 0,
    attributes: {},
  };
  const outcome = await processMessage(message, 'default', hold, processing);
  return outcome.kind === 'dead-letter' ? outcome.reason : outcome.kind;
}

/** Processes a million bodies and prints the outcomes. Runs if this file is the program. */
async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      bodies: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    },
  });
  const startedAtMs = performance.now();
  const { outcomes, runs: ran } = await fuzz(Number(values.bodies), Number(values.seed));
  const seconds = Math.round((performance.now() - startedAtMs) / 1000);
  const rows = Object.entries({ seed: values.seed, bodies: values.bodies, ...outcomes, runs: ran, seconds });
  process.stdout.write(`${rows.map(([name, value]) => `${name.padEnd(24)} ${value}`).join('\n')}\n`);
  process.exitCode = ran === outcomes['done'] ? 0 : 1;
}

if (import.meta.main) await run();
