import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { Program } from 'baton-dev/testing/program';
import { Inbox } from 'baton-dev/testing/inbox';
import { read, RunningService } from 'baton-dev/testing/service';

const sample = { reference: 'r-1' };

let backends: Backends;
let inbox: Inbox;
let service: RunningService;

beforeAll(async () => {
  backends = await startBackends(['functions/samples-service']);
  inbox = new Inbox(backends.sqs);
  service = await RunningService.start('samples-service', {
    ...backends.environment,
    SAMPLES_TABLE: `baton-${backends.stage}-samples`,
  });
});
afterAll(async () => {
  await service.program.stop();
  await backends.stop();
});

const post = (body: unknown, headers: Record<string, string> = {}) => service.post('/samples', body, headers);

/** Receives the tasks in the queue. Resolves to their ids. */
async function queued(): Promise<string[]> {
  const queuedTasks = await inbox.takeTasks(backends.queueUrls.of('samples'));
  return queuedTasks.map(({ taskId }) => taskId);
}

describe('samples-service without any other service', () => {
  test('is live and ready', async () => {
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
    expect((await fetch(`${service.url}/health/ready`)).status).toBe(200);
  });

  test('accepts a sample with 202 and its location, and sends its task', async () => {
    const response = await post(sample);
    const { sampleId, ...answer } = await read(response);
    expect([response.status, answer]).toEqual([202, { taskId: sampleId, status: 'accepted' }]);
    expect(response.headers.get('location')).toBe(`/samples/${String(sampleId)}`);
    await expect(service.get(`/samples/${String(sampleId)}`)).resolves.toMatchObject({
      ...sample,
      sampleId,
      status: 'accepted',
    });
    await expect(queued()).resolves.toContain(sampleId);
  });

  test('gives the same response for the same key, and sends one task', async () => {
    const headers = { 'idempotency-key': 'k-1' };
    const [first, second] = [await post(sample, headers), await post(sample, headers)];
    const { sampleId } = await read(first);
    await expect(read(second)).resolves.toMatchObject({ sampleId });
    expect((await queued()).filter((id) => id === sampleId)).toHaveLength(1);
    expect((await post({ reference: 'r-2' }, headers)).status).toBe(409);
  });

  test.each([
    ['no reference', {}, 'reference'],
    ['an empty reference', { reference: '' }, 'reference'],
    ['a reference too long', { reference: 'r'.repeat(101) }, 'reference'],
    ['a member that it does not know', { ...sample, refrence: 'r-1' }, 'refrence'],
  ])('refuses a sample with %s, and says why', async (_what, body, says) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(JSON.stringify(await read(response))).toContain(says);
  });

  test('answers 404 for an unknown sample', async () => {
    expect((await fetch(`${service.url}/samples/nobody`)).status).toBe(404);
  });
});

test('samples-service does not start without its table, and names the missing variable', async () => {
  const program = new Program('functions/samples-service/main.ts', backends.environment);
  await expect(program.ended()).resolves.toBe(1);
  expect(program.output).toContain('SAMPLES_TABLE is not set');
});
