import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createLogger } from 'baton-tasks/service';
import { Circuit } from '../circuit.ts';

/** A circuit that opens after one failure. @param probeAfterMs - default: the next call may probe at once */
function openCircuit(probeAfterMs = 0) {
  return new Circuit({
    name: 'the server',
    failures: 1,
    probeAfterMs,
    isAway: (error) => error === 'away',
    isSilent: () => false,
    logger: createLogger({ service: 'tests', level: 'silent' }),
  });
}

test('a call beside a probe fails at once and does not wait for the probe', async () => {
  const circuit = openCircuit();
  await expect(circuit.call(() => Promise.reject('away'))).rejects.toMatchObject({
    name: 'CircuitOpenError',
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  const probe = circuit.call(() => promise);
  let called = false;
  const beside = circuit.call(async () => (called = true));
  await expect(beside).rejects.toThrow('the server is away and is being probed');
  resolve('back');
  await expect(probe).resolves.toBe('back');
  expect(called).toBe(false);
  await expect(circuit.call(async () => 'next')).resolves.toBe('next');
});

test('an error that does not mean `away` reaches the caller unchanged, and closes an open circuit', async () => {
  const circuit = openCircuit();
  await expect(circuit.call(() => Promise.reject('away'))).rejects.toMatchObject({ cause: 'away' });
  await expect(circuit.call(() => Promise.reject('refused'))).rejects.toBe('refused');
  await expect(circuit.call(async () => 'next')).resolves.toBe('next');
});

describe('an open circuit measures time by the monotonic clock', () => {
  const away = () => Promise.reject('away');
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test.each(['back', 'forward'])('when the wall clock is set %s', async (way) => {
    const circuit = openCircuit(1000);
    const elapsedMs = performance.now();
    const elapsed = jest.spyOn(performance, 'now').mockReturnValue(elapsedMs);
    await expect(circuit.call(away)).rejects.toMatchObject({ cause: 'away' });
    const set = way === 'back' ? -3_600_000 : 3_600_000;
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + set);
    elapsed.mockReturnValue(elapsedMs + 999);
    await expect(circuit.call(async () => 'too soon')).rejects.toThrow('the server is away');
    elapsed.mockReturnValue(elapsedMs + 1000);
    await expect(circuit.call(async () => 'in time')).resolves.toBe('in time');
  });
});
