import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DeleteMessageBatchCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ClockWatch } from '../clock-watch.ts';
import { createSqsClient } from '../../sqs/sqs-client.ts';
import { createDocumentClient } from '../../aws/documents.ts';
import { createLogger } from '../../telemetry/logger.ts';

const START_MS = Date.parse('2026-11-25T03:00:00.000Z');
const HOUR_MS = 3_600_000;

/** A process and a service with separate clocks. */
class Clocks {
  /** The true time since the start, in milliseconds. */
  atMs = 0;
  /** How far this process's clock is ahead, in milliseconds. */
  aheadMs = 0;
  /** How long the monotonic clock stood still, in milliseconds. */
  stoodStillMs = 0;
  /** How old the service's Date header is, in milliseconds. */
  staleMs = 0;
  readonly lines: Record<string, unknown>[] = [];
  readonly watch = new ClockWatch('DynamoDB', {
    now: () => START_MS + this.atMs + this.aheadMs,
    elapsed: () => this.elapsedMs,
  });

  constructor() {
    this.watch.reportTo(
      createLogger({
        service: 'tests',
        to: { write: (line: string) => void this.lines.push(JSON.parse(line) as Record<string, unknown>) },
      }),
    );
  }

  get elapsedMs(): number {
    return this.atMs - this.stoodStillMs;
  }

  /** How far the service's time, as this process knows it, is from the true time. */
  get errorMs(): number {
    return this.watch.nowMs - (START_MS + this.atMs);
  }

  /** Makes a request and receives its answer. */
  ask({ outMs = 20, backMs = 20 } = {}): void {
    const askedAtMs = this.elapsedMs;
    this.atMs += outMs;
    const date = new Date(START_MS + this.atMs - this.staleMs).toUTCString();
    this.atMs += backMs;
    this.watch.hear(date, askedAtMs);
  }
}

let clocks: Clocks;
beforeEach(() => {
  clocks = new Clocks();
  clocks.atMs = 123;
});

const errors = () => clocks.lines.filter(({ level }) => level === 'error');

describe('a right clock', () => {
  test('is known to be right after one answer, and is not corrected', () => {
    clocks.ask();
    expect(clocks.watch).toMatchObject({ sure: true, differs: false, skewSeconds: 0, trouble: undefined });
    for (let answer = 1; answer <= 50; answer += 1) {
      clocks.atMs += 777;
      clocks.ask({ outMs: answer * 7, backMs: answer * 400 });
    }
    expect([clocks.errorMs, clocks.watch.sure, clocks.lines]).toEqual([0, true, []]);
  });

  test('does not seem wrong after a long poll, or after a late answer', () => {
    clocks.ask({ outMs: 20_000, backMs: 20 });
    clocks.ask({ outMs: 20, backMs: 30_000 });
    expect([clocks.errorMs, clocks.watch.differs, clocks.lines]).toEqual([0, false, []]);
  });

  test('does not seem wrong after one stale Date header', () => {
    clocks.ask();
    clocks.atMs += 60_000;
    clocks.staleMs = 30_000;
    clocks.ask();
    expect(clocks.watch).toMatchObject({ sure: false, differs: false });
    clocks.staleMs = 0;
    clocks.ask();
    expect(clocks.watch).toMatchObject({ sure: true, differs: false });
    expect([clocks.errorMs, clocks.lines]).toEqual([0, []]);
  });

  test('does not seem wrong after answers to requests that overlapped', () => {
    clocks.ask();
    const askedAtMs = clocks.elapsedMs;
    clocks.atMs += 40;
    const stale = new Date(START_MS - 60_000).toUTCString();
    clocks.watch.hear(stale, askedAtMs);
    clocks.watch.hear(stale, askedAtMs);
    expect(clocks.watch).toMatchObject({ sure: false, differs: false });
  });

  test('may drift for days between two answers without an alarm', () => {
    clocks.ask();
    clocks.atMs += 48 * HOUR_MS;
    clocks.aheadMs = 1500;
    clocks.ask();
    expect(clocks.watch.sure).toBe(true);
    expect(Math.abs(clocks.errorMs)).toBeLessThan(1100);
  });

  test('is used without a correction if the service never sends its time', () => {
    expect(clocks.watch.skewSeconds).toBeNull();
    clocks.watch.hear(undefined, clocks.elapsedMs);
    expect(clocks.watch).toMatchObject({ sure: true, differs: false, skewSeconds: null });
    expect(clocks.errorMs).toBe(0);
  });
});

describe('a wrong clock', () => {
  test.each([
    ['12 h ahead', 12 * HOUR_MS],
    ['12 h behind', -12 * HOUR_MS],
    ['years ahead', 10 * 8760 * HOUR_MS],
    ['7 s ahead', 7000],
    ['7 s behind', -7000],
  ])(
    'that is %s is corrected to the second after the first answer, and the second answer confirms this',
    (_what, ahead) => {
      clocks.aheadMs = ahead;
      clocks.ask();
      expect(clocks.watch.sure).toBe(false);
      expect(Math.abs(clocks.errorMs)).toBeLessThan(1100);
      clocks.ask();
      expect(clocks.watch).toMatchObject({ sure: true, differs: true });
      for (let answer = 1; answer <= 20; answer += 1) {
        expect(Math.abs(clocks.errorMs)).toBeLessThan(1100);
        clocks.atMs += 1111;
        clocks.ask({ outMs: 20, backMs: answer });
      }
      // Many answers together also tell the fraction of the second
      expect(Math.abs(clocks.errorMs)).toBeLessThan(300);
      expect(Math.abs((clocks.watch.skewSeconds ?? 0) - ahead / 1000)).toBeLessThan(1);
    },
  );

  test('is confirmed by overlapping polls too', () => {
    clocks.aheadMs = 12 * HOUR_MS;
    const asked = [clocks.elapsedMs, clocks.elapsedMs + 500];
    clocks.atMs += 1000;
    for (let poll = 1; poll <= 4; poll += 1) {
      clocks.watch.hear(new Date(START_MS + clocks.atMs).toUTCString(), asked.shift() ?? 0);
      asked.push(clocks.elapsedMs);
      clocks.atMs += 500;
    }
    expect(clocks.watch).toMatchObject({ sure: true, differs: true });
    expect(errors()).toHaveLength(1);
  });

  test('is corrected without an alarm if it is only slightly wrong', () => {
    clocks.aheadMs = 4000;
    clocks.ask();
    clocks.ask();
    expect(clocks.watch).toMatchObject({ sure: true, differs: false });
    expect(Math.abs(clocks.errorMs)).toBeLessThan(1100);
    expect(clocks.lines).toEqual([]);
  });

  test('is logged once, then every ten minutes, and once when it is right again', () => {
    clocks.aheadMs = 12 * HOUR_MS;
    for (let answer = 1; answer <= 300; answer += 1) {
      clocks.ask();
      clocks.atMs += 1960;
    }
    expect(errors()).toHaveLength(1);
    expect(errors()[0]).toMatchObject({
      message: expect.stringMatching(
        /^clock is wrong: This process's clock is 4\d{4}(\.\d)? s ahead of the clock of DynamoDB$/,
      ),
      clock: { of: 'DynamoDB', time: '2026-11-25T15:00:02.163Z' },
    });
    const [{ clock } = {}] = errors() as { clock: { serviceTime: string } }[];
    expect(Math.abs(Date.parse(clock?.serviceTime ?? '') - START_MS - 2163)).toBeLessThan(1500);
    clocks.atMs += 10_000;
    clocks.ask();
    expect(errors()).toHaveLength(2);
    clocks.aheadMs = 0;
    clocks.ask();
    clocks.ask();
    clocks.ask();
    const last = clocks.lines.at(-1);
    expect(clocks.lines).toHaveLength(3);
    expect(last).toMatchObject({ level: 'info', message: 'clock agrees with DynamoDB again' });
    expect([clocks.watch.differs, clocks.errorMs]).toEqual([false, 0]);
  });
});

describe('a clock that is set while the process runs', () => {
  test.each([
    ['forward', 12 * HOUR_MS],
    ['back', -12 * HOUR_MS],
  ])('%s is not trusted until an answer has told the time', async (_what, ahead) => {
    clocks.ask();
    clocks.atMs += 5000;
    clocks.aheadMs = ahead;
    expect(clocks.watch.sure).toBe(false);
    let asked = 0;
    await clocks.watch.known(async () => {
      asked += 1;
      clocks.ask();
    });
    expect([asked, clocks.watch.sure]).toEqual([2, true]);
    expect(Math.abs(clocks.errorMs)).toBeLessThan(1100);
  });

  test('is trusted at once if the machine slept and the monotonic clock stood still', async () => {
    clocks.ask();
    clocks.atMs += 8 * HOUR_MS;
    clocks.stoodStillMs += 8 * HOUR_MS;
    expect(clocks.watch.sure).toBe(false);
    await clocks.watch.known(async () => clocks.ask());
    expect(clocks.watch).toMatchObject({ sure: true, differs: false });
    expect([clocks.errorMs, clocks.lines]).toEqual([0, []]);
  });
});

describe('the time of the service is requested', () => {
  test('with one request for many callers, and with none if it is known', async () => {
    const watch = ClockWatch.of(createDocumentClient());
    let asked = 0;
    const ask = async () => {
      await Promise.resolve();
      asked += 1;
      watch.hear(new Date().toUTCString(), performance.now());
    };
    await Promise.all([watch.known(ask), watch.known(ask), watch.known(ask)]);
    await watch.known(ask);
    expect(asked).toBe(1);
  });

  test('at most three times, and the error of a request is thrown', async () => {
    let asked = 0;
    await clocks.watch.known(async () => void (asked += 1));
    expect(asked).toBe(3);
    await expect(clocks.watch.known(() => Promise.reject(new Error('no store')))).rejects.toThrow('no store');
  });
});

describe('the clients of AWS', () => {
  const before = { ...process.env };
  const dates: (string | undefined)[] = [];
  let server: Server;
  let requests: number;

  beforeEach(async () => {
    requests = 0;
    server = createServer((request, response) => {
      request.resume().once('end', () => {
        requests += 1;
        response.sendDate = false;
        const date = dates.length > 1 ? dates.shift() : dates[0];
        if (date !== undefined) response.setHeader('date', date);
        response.setHeader('content-type', 'application/x-amz-json-1.0');
        // DynamoDB accepts this as an answer to every request; SQS sees an empty answer
        response.end('{"ConsumedCapacity":{"TableName":"t"}}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    Object.assign(process.env, {
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'AKID',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_ENDPOINT_URL_SQS: endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    });
  });
  afterEach(async () => {
    process.env = { ...before };
    dates.length = 0;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const inAnHour = () => new Date(Date.now() + HOUR_MS).toUTCString();

  test.each([1, 3])('of SQS with %s attempts tell the time with each kind of request', async (attempts) => {
    const sqs = createSqsClient({ attempts });
    const watch = ClockWatch.of(sqs);
    dates.push(inAnHour());
    const QueueUrl = 'http://sqs.test/1/work';
    await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    expect([watch.sure, watch.differs]).toEqual([false, true]);
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: [{ Id: '0', ReceiptHandle: 'r' }] }));
    expect([watch.sure, watch.differs]).toEqual([true, true]);
    expect(watch.trouble).toMatch(/^This process's clock is (359\d|3600)(\.\d)? s behind the clock of SQS$/);
    sqs.destroy();
  });

  test('of DynamoDB tell the time, and all callers get the same watch', async () => {
    const documents = createDocumentClient();
    const watch = ClockWatch.of(documents);
    expect(ClockWatch.of(documents)).toBe(watch);
    dates.push(inAnHour());
    await watch.known(() => documents.send(new GetCommand({ TableName: 't', Key: { taskId: '1' } })));
    expect(watch.trouble).toMatch(/s behind the clock of DynamoDB$/);
    expect(requests).toBe(2);
    documents.destroy();
  });

  test('share one watch, whichever client is asked', async () => {
    const [one, other] = [createSqsClient(), createSqsClient({ attempts: 1 })];
    const watch = ClockWatch.of(one, other);
    expect([ClockWatch.of(other), ClockWatch.of(one)]).toEqual([watch, watch]);
    expect(ClockWatch.of(other)).toBe(watch);
    for (const client of [one, other]) client.destroy();
  });

  test('are read once a second, and at every answer while the time is unknown', async () => {
    const sqs = createSqsClient({ attempts: 1 });
    const watch = ClockWatch.of(sqs);
    const receive = () => sqs.send(new ReceiveMessageCommand({ QueueUrl: 'http://sqs.test/1/work' }));
    dates.push(new Date().toUTCString());
    await receive();
    expect(watch.sure).toBe(true);
    // Right after a date was read, the next one is not read, even if it contradicts the first
    dates.splice(0, 1, inAnHour());
    await receive();
    expect([watch.sure, watch.differs]).toEqual([true, false]);
    sqs.destroy();
  });

  test('that are stand-ins without middleware tell no time, and no caller waits for it', async () => {
    const watch = ClockWatch.of({});
    expect(watch).toMatchObject({ sure: true, differs: false, skewSeconds: null });
    expect(Math.abs(watch.nowMs - Date.now())).toBeLessThan(50);
  });
});
