import { expect, test } from '@jest/globals';
import { createLogger } from '@baton/common/telemetry/logger';
import { Circuit } from '../circuit.ts';

/** Opens after one failure, and lets the next call probe at once. */
function openCircuit() {
  return new Circuit({
    name: 'the server',
    failures: 1,
    probeAfterMs: 0,
    isAway: (error) => error === 'away',
    isSilent: () => false,
    logger: createLogger({ service: 'tests', level: 'silent' }),
  });
}

test('a call beside a probe is refused at once, and does not wait for its end', async () => {
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

test('what is no sign of being away comes through as it is, and closes an open circuit', async () => {
  const circuit = openCircuit();
  await expect(circuit.call(() => Promise.reject('away'))).rejects.toMatchObject({ cause: 'away' });
  await expect(circuit.call(() => Promise.reject('refused'))).rejects.toBe('refused');
  await expect(circuit.call(async () => 'next')).resolves.toBe('next');
});
