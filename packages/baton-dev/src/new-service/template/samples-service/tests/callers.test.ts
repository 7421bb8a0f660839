import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { type CallerName, Callers } from 'baton-dev/testing/callers';
import { read } from 'baton-dev/testing/service';

const sample = { reference: 'r-1' };

let backends: Backends;
let callers: Callers;
/** A sample of each caller. */
const posted: Partial<Record<CallerName, string>> = {};

beforeAll(async () => {
  backends = await startBackends(['functions/samples-service']);
  callers = await Callers.start('samples-service', {
    ...backends.environment,
    SAMPLES_TABLE: `baton-${backends.stage}-samples`,
  });
  for (const caller of ['customer A', 'operator', 'off'] as const) {
    const { sampleId } = await read(await callers.ask(caller, 'POST /samples', sample));
    posted[caller] = sampleId as string;
  }
});
afterAll(async () => {
  await callers.stop();
  await backends.stop();
});

describe('who may do what with samples', () => {
  // prettier-ignore
  test.each([
    // route            whose        what       no token, A,   B,   operator, no scopes, authentication off
    ['POST /samples',   'any',        sample,    [401, 202, 202, 202,      202,       202]],
    ['GET /samples/ID', 'customer A', undefined, [401, 200, 404, 200,      404,       200]],
    ['GET /samples/ID', 'operator',   undefined, [401, 404, 404, 200,      404,       200]],
    ['GET /samples/ID', 'off',        undefined, [401, 404, 404, 200,      404,       200]],
  ] as const)('%s, %s', async (route, whose, body, statuses) => {
    const path = route.replace('ID', posted[whose as CallerName] ?? '');
    await expect(callers.statuses(path, body)).resolves.toEqual(statuses);
  });

  test('the same key and body of another caller make another sample', async () => {
    const key = { 'idempotency-key': 'key-of-a' };
    const idFor = async (caller: CallerName) =>
      (await read(await callers.ask(caller, 'POST /samples', sample, key)))['sampleId'];
    const ofA = await idFor('customer A');
    await expect(idFor('customer B')).resolves.not.toBe(ofA);
    await expect(idFor('customer A')).resolves.toBe(ofA);
  });
});
