import { afterAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../process/config.ts';
import { serverVariables } from '../server-config.ts';

describe('a server', () => {
  const read = (environment: Record<string, string>) => parseConfig(serverVariables(8001), environment);

  test('keeps idle connections for longer than load balancers do, and waits even longer for a request', () => {
    const { keepAliveSeconds, requestTimeoutSeconds } = read({});
    expect(keepAliveSeconds).toBeGreaterThan(60);
    // Node closes a kept connection a second later than it tells
    expect(requestTimeoutSeconds).toBeGreaterThan(keepAliveSeconds + 1);
  });

  test('uses the times of its environment', () => {
    const told = { HTTP_KEEP_ALIVE_SECONDS: '350', HTTP_REQUEST_TIMEOUT_SECONDS: '355' };
    expect(read(told)).toMatchObject({ keepAliveSeconds: 350, requestTimeoutSeconds: 355 });
  });

  test.each([
    [{ HTTP_REQUEST_TIMEOUT_SECONDS: '69' }, 'expected at least 70'],
    [{ HTTP_KEEP_ALIVE_SECONDS: '71' }, 'expected at least 76'],
    [{ HTTP_KEEP_ALIVE_SECONDS: '0' }, 'expected a whole number from 1 to 3600'],
  ])('refuses times that let a request arrive while its connection is closed: %j', (environment, says) => {
    expect(() => read(environment)).toThrow(says);
  });
});

describe('a server of functions', () => {
  const SECRET = 'a secret of more than 32 characters';
  const folder = mkdtempSync(join(tmpdir(), 'baton-config-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const read = (environment: Record<string, string>) => parseConfig(serverVariables(8001), environment);

  test('does not open its port without a secret', () => {
    expect(() => read({ FUNCTIONS_PORT: '9000' })).toThrow(
      'FUNCTIONS_TOKEN is not set: expected a secret of at least 32 characters, because FUNCTIONS_PORT is 9000',
    );
    expect(read({ FUNCTIONS_PORT: '9000', FUNCTIONS_TOKEN: SECRET }).functionsToken).toBe(SECRET);
    expect(read({}).functionsPort).toBeUndefined();
  });

  test('takes its secret from a file', () => {
    const file = join(folder, 'secret');
    writeFileSync(file, `${SECRET}\n`);
    expect(read({ FUNCTIONS_PORT: '9000', FUNCTIONS_TOKEN_FILE: file }).functionsToken).toBe(SECRET);
  });

  test('refuses a short secret without a word of it, and a file that is missing', () => {
    expect(() => read({ FUNCTIONS_TOKEN: 'swordfish' })).toThrow(
      /^(?!.*swordfish)[^]*at least 32 characters/,
    );
    expect(() => read({ FUNCTIONS_TOKEN_FILE: join(folder, 'none') })).toThrow('cannot be read: ENOENT');
  });
});
