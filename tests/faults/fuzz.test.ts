import { expect, test } from '@jest/globals';
import { encodeEnvelope } from '@baton/common/queue/envelope';
import { implement, Implementations } from '@baton/common/queue/implementation';
import { type Processing, processMessage } from '@baton/common/queue/process-message';
import { defineTask } from '@baton/common/queue/task';
import { createLogger } from '@baton/common/telemetry/logger';
import * as fc from 'fast-check';
import { z } from 'zod';

const BODIES = 200_000;
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

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

/** A valid body with a piece cut out, doubled or put in its place. */
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

/** A valid body with a member, known or not, of any value. */
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

test(`of ${BODIES} random and mutated bodies each is run or a dead letter with its reason (FUZZ_SEED=${seed})`, async () => {
  const seen: Record<string, number> = {};
  let received = 0;
  const runsBefore = runs;
  for (const body of fc.sample(bodies, { numRuns: BODIES, seed })) {
    received += 1;
    const message = {
      messageId: String(received),
      receiptHandle: '',
      body,
      receiveCount: 1,
      sentAtMs: 0,
      firstReceivedAtMs: 0,
      attributes: {},
    };
    const outcome = await processMessage(message, 'default', hold, processing);
    const name = outcome.kind === 'dead-letter' ? outcome.reason : outcome.kind;
    seen[name] = (seen[name] ?? 0) + 1;
  }
  expect(Object.keys(seen).toSorted((a, b) => a.localeCompare(b))).toEqual([
    'done',
    'invalid-payload',
    'malformed',
    'unknown-task',
  ]);
  expect(seen['done']).toBe(runs - runsBefore);
  expect(Object.values(seen).reduce((sum, count) => sum + count, 0)).toBe(BODIES);
}, 60_000);
