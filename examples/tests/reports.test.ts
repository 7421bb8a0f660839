import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chain } from 'baton-tasks';
import { runTask, TestBroker } from 'baton-tasks/testing';
import { countWords, countWordsTask, readReportTask, reportTasks, sayCount } from '../reports.ts';

test('a second attempt does not bill again', async () => {
  const run = await runTask(countWordsTask, { text: 'one two' }, { attempt: 2, effects: { bill: 1 } });
  expect(run.outcome).toEqual({ kind: 'done', result: { words: 2 } });
  expect(run.effects).toEqual({ bill: 1 });
  expect(run.progress.at(-1)).toMatchObject({ fraction: 1 });
});

test('a count is said after the words are counted', async () => {
  const broker = new TestBroker({ implementations: reportTasks });
  const said = await broker.tasks.start(chain([countWords, sayCount]), { text: 'one two three' });
  await expect(said.result()).resolves.toEqual({ said: '3 words' });
  expect(broker.attempts.map(({ task }) => task)).toEqual(['reports.count-words', 'reports.say-count']);
});

test('the nightly report is written every night', async () => {
  const broker = new TestBroker({ implementations: reportTasks, now: new Date('2026-11-24T00:00:00Z') });
  await broker.advance({ seconds: 2 * 86_400 });
  expect(broker.attempts.map(({ task }) => task)).toEqual(['reports.write-nightly', 'reports.write-nightly']);
});

describe('a report', () => {
  let server: Server;
  let status = 200;
  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

  beforeAll(async () => {
    server = createServer((_request, response) => {
      response.writeHead(status, { 'retry-after': '7', connection: 'close' }).end('one two');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    server.close();
  });

  test.each([
    [200, { kind: 'done', result: { text: 'one two' } }],
    [429, { kind: 'retry', delaySeconds: 7 }],
    [404, { kind: 'dead-letter', reason: 'rejected' }],
  ])('whose server answers %i is %j', async (answer, outcome) => {
    status = answer;
    await expect(runTask(readReportTask, { url: url() })).resolves.toMatchObject({ outcome });
  });
});
