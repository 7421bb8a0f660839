import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Settler } from '../../sqs/settler.ts';
import { BatchEntryError } from '../../sqs/sqs-batch.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { Lease } from '../lease.ts';
import { receivedMessage } from '../../../tests/support/messages.ts';

const message = receivedMessage();
const extendLease = jest.fn<Settler['extendLease']>();

beforeEach(() => {
  jest.useFakeTimers();
  extendLease.mockReset().mockResolvedValue(undefined);
  onLost.mockReset();
});
afterEach(() => {
  jest.useRealTimers();
});

const onLost = jest.fn<(error: Error) => void>();

function open(askedMsAgo = 0): Lease {
  const askedAtMs = performance.now() - askedMsAgo;
  const logger = createLogger({ service: 'tests', level: 'silent' });
  const settler = { extendLease } as unknown as Settler;
  return new Lease({ message, settler, leaseSeconds: 30, askedAtMs, logger, onLost });
}

describe('a lease of 30 s', () => {
  test('is renewed for 30 s every 10 s until it is closed', async () => {
    const lease = open();
    await jest.advanceTimersByTimeAsync(35_000);
    expect(extendLease.mock.calls).toEqual([1, 2, 3].map(() => [message, 30]));
    lease.close();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(extendLease).toHaveBeenCalledTimes(3);
    expect(lease.held).toBe(true);
  });

  test('is not renewed for more than 12 h after the receive, which is the limit of SQS', async () => {
    const lease = open();
    await jest.advanceTimersByTimeAsync(43_150_000);
    expect(lease.held).toBe(true);
    await jest.advanceTimersByTimeAsync(100_000);
    expect(lease.held).toBe(false);
    const asked = extendLease.mock.calls.map(([, seconds], index) => (index + 1) * 10 + seconds);
    expect(Math.max(...asked)).toBeLessThanOrEqual(43_200);
  });

  test.each([
    [0, 10_000, 30_000],
    [4000, 6000, 26_000],
    [15_000, 5000, 15_000],
    [19_000, 5000, 11_000],
    [40_000, 5000, 10_000],
  ])(
    'whose receive was requested %d ms ago is renewed after %d ms, and expires after %d ms otherwise',
    async (askedMsAgo, renewedAfterMs, endsAfterMs) => {
      extendLease.mockReturnValue(new Promise(() => undefined));
      const lease = open(askedMsAgo);
      await jest.advanceTimersByTimeAsync(renewedAfterMs - 1);
      expect(extendLease).not.toHaveBeenCalled();
      await jest.advanceTimersByTimeAsync(1);
      expect(extendLease).toHaveBeenCalledTimes(1);
      await jest.advanceTimersByTimeAsync(endsAfterMs - renewedAfterMs - 1);
      expect(lease.held).toBe(true);
      await jest.advanceTimersByTimeAsync(1);
      expect(lease.held).toBe(false);
    },
  );

  test('lasts if the broker is away for some time', async () => {
    extendLease.mockRejectedValueOnce(new Error('no broker')).mockRejectedValueOnce(new Error('no broker'));
    const lease = open();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(lease.held).toBe(true);
  });

  test('is lost if it could not be renewed in time', async () => {
    extendLease.mockRejectedValue(new Error('no broker'));
    const lease = open();
    await jest.advanceTimersByTimeAsync(29_000);
    expect(lease.held).toBe(true);
    await jest.advanceTimersByTimeAsync(2000);
    expect(lease.held).toBe(false);
    expect(onLost.mock.calls).toMatchObject([[{ name: 'LeaseLostError' }]]);
  });

  test('is lost at its end, even if the renewal hangs', async () => {
    extendLease.mockReturnValue(new Promise(() => undefined));
    const lease = open();
    await jest.advanceTimersByTimeAsync(29_900);
    expect(lease.held).toBe(true);
    await jest.advanceTimersByTimeAsync(200);
    expect(lease.held).toBe(false);
  });

  test('stops its renewals once the current renewal has ended, and then expires at its end', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    extendLease.mockReturnValueOnce(promise);
    const lease = open();
    await jest.advanceTimersByTimeAsync(10_000);
    let closed = false;
    const closing = lease.stopRenewing().then(() => (closed = true));
    await jest.advanceTimersByTimeAsync(1000);
    expect(closed).toBe(false);
    resolve();
    await closing;
    await jest.advanceTimersByTimeAsync(20_000);
    expect(extendLease).toHaveBeenCalledTimes(1);
    expect(lease.held).toBe(true);
    await jest.advanceTimersByTimeAsync(20_000);
    expect(lease.held).toBe(false);
  });

  test.each(['MessageNotInflight', 'InvalidParameterValue', 'ReceiptHandleIsInvalid'])(
    'is lost at once if SQS answers %s',
    async (code) => {
      extendLease.mockRejectedValue(new BatchEntryError(code, '', true));
      const lease = open();
      await jest.advanceTimersByTimeAsync(10_000);
      expect(lease.held).toBe(false);
    },
  );

  test('needs no request while both clocks say that it lasts', () => {
    expect(open().confirm()).toBeUndefined();
  });

  test('is renewed if only the wall clock says that it has expired, and lasts if SQS confirms it', async () => {
    const lease = open();
    jest.setSystemTime(Date.now() + 3_600_000);
    extendLease.mockRejectedValueOnce(new Error('no broker'));
    const lasts = lease.confirm();
    await jest.advanceTimersByTimeAsync(1000);
    await expect(lasts).resolves.toBe(true);
    expect(extendLease).toHaveBeenCalledTimes(2);
    expect(lease.confirm()).toBeUndefined();
  });

  test('is lost if SQS does not confirm it after the machine was suspended', async () => {
    const lease = open();
    jest.setSystemTime(Date.now() + 60_000);
    extendLease.mockRejectedValue(new BatchEntryError('MessageNotInflight', '', true));
    await expect(lease.confirm()).resolves.toBe(false);
    expect(onLost).toHaveBeenCalledTimes(1);
  });

  test('is lost after its end, even if the process was stopped and no timer has fired', async () => {
    const lease = open();
    const nowMs = performance.now() + 30_001;
    const clock = jest.spyOn(performance, 'now').mockReturnValue(nowMs);
    const lasts = lease.confirm();
    expect(onLost).toHaveBeenCalledTimes(1);
    clock.mockRestore();
    await expect(lasts).resolves.toBe(false);
    expect(extendLease).not.toHaveBeenCalled();
  });
});
