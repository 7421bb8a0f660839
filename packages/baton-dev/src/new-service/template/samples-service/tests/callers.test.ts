import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
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

  test('a sample is deleted by its owner once its task has ended, and then nobody finds it', async () => {
    const { sampleId } = await read(await callers.ask('customer A', 'POST /samples', sample));
    const path = `/samples/${String(sampleId)}`;
    expect((await callers.ask('customer A', `DELETE ${path}`)).status).toBe(409);
    const TableName = `baton-${backends.stage}-samples`;
    const Key = { sampleId };
    const ends = new UpdateCommand({
      TableName,
      Key,
      UpdateExpression: 'SET #status = :recorded',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':recorded': 'recorded' },
    });
    await backends.documents.send(ends);
    const answers: number[] = [];
    for (const caller of ['no token', 'customer B', 'customer A', 'operator'] as const)
      answers.push((await callers.ask(caller, `DELETE ${path}`)).status);
    expect(answers).toEqual([401, 404, 204, 404]);
    const { Item } = await backends.documents.send(new GetCommand({ TableName, Key }));
    expect(Item).toMatchObject({ status: 'deleted', deletedBy: 'customer A' });
    expect(Item).not.toHaveProperty('reference');
    expect((await callers.ask('operator', `GET ${path}`)).status).toBe(404);
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
