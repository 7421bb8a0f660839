import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import type { Logger } from '../../telemetry/logger.ts';
import { bearerAuthentication } from '../authentication.ts';
import { IssuerKeys } from '../issuer-keys.ts';
import { Problem } from '../problem.ts';
import { TokenVerifier } from '../token-verifier.ts';
import { HostileIssuer, type SigningKey, signingKey } from './hostile-issuer.ts';

const MINUTE_MS = 60_000;
/** Why keys could not be read, as the log says. */
const warnings: string[] = [];
const logger = { warn: ({ error }: { error: Error }) => warnings.push(error.message) } as unknown as Logger;

let issuer: HostileIssuer;
let nowMs: number;
beforeEach(async () => {
  issuer = await HostileIssuer.start('ES256');
  nowMs = Date.now();
});
afterEach(() => issuer.stop());

/** Makes what an API asks who calls: the subject of a token, or the problem. */
function callers(jwksUrl?: string): (token: string) => Promise<unknown> {
  const now = () => nowMs;
  const keys = new IssuerKeys({ issuer: issuer.url, jwksUrl, logger, now });
  // The tokens' own time is the real one
  const verifier = new TokenVerifier({ issuer: issuer.url, audiences: ['tests'], keys });
  const authenticate = bearerAuthentication(verifier);
  return (token) =>
    authenticate({ headers: { authorization: `Bearer ${token}` } } as never, 'authenticated').then(
      ({ subject }) => subject,
      (error: unknown) => {
        if (!(error instanceof Problem)) throw error;
        return `${error.status} ${error.details.headers?.['retry-after'] ?? ''}`.trim();
      },
    );
}

const answers = (status: number, body: string) => (_request: unknown, response: ServerResponse) =>
  response.writeHead(status, { location: `${issuer.url}/keys` }).end(body);

describe('while its keys cannot be read', () => {
  test.each<[string, () => HostileIssuer['answer']]>([
    ['is down', () => (request) => request.socket.destroy()],
    ['answers 500', () => answers(500, '{}')],
    ['sends elsewhere', () => answers(302, '')],
    ['answers no JSON', () => answers(200, '<html>')],
    ['answers other JSON', () => answers(200, '{"keys":7}')],
    ['answers keys without end', () => endless],
    [
      'is of another issuer',
      () => answers(200, JSON.stringify({ issuer: 'https://evil', jwks_uri: `${issuer.url}/keys` })),
    ],
  ])(
    'an issuer that %s makes a token 503 with Retry-After, and is not asked again at once',
    async (_what, answerOf) => {
      issuer.answer = answerOf();
      const ask = callers();
      const token = await issuer.token();
      await expect(Promise.all([ask(token), ask(token), ask(token)])).resolves.toEqual([
        '503 5',
        '503 5',
        '503 5',
      ]);
      await expect(ask(token)).resolves.toBe('503 5');
      expect(issuer.asked).toHaveLength(1);
      issuer.answer = undefined;
      nowMs += 5000;
      await expect(ask(token)).resolves.toBe('c-1');
    },
  );

  test('an issuer that does not answer within 3 s makes a token 503', async () => {
    issuer.answer = () => undefined;
    const startedAtMs = performance.now();
    await expect(callers()(await issuer.token())).resolves.toBe('503 5');
    expect(performance.now() - startedAtMs).toBeLessThan(6000);
  });

  test('an issuer that answers more than 256 KiB makes a token 503, even if keys are among it', async () => {
    issuer.padding = ' '.repeat(262_144);
    await expect(callers(`${issuer.url}/keys`)(await issuer.token())).resolves.toBe('503 5');
    issuer.padding = ' '.repeat(200_000);
    await expect(callers(`${issuer.url}/keys`)(await issuer.token())).resolves.toBe('c-1');
  });

  test('an issuer whose document names keys at another host without TLS is not followed', async () => {
    issuer.answer = answers(
      200,
      JSON.stringify({ issuer: issuer.url, jwks_uri: 'http://keys.example.com/' }),
    );
    await expect(callers()(await issuer.token())).resolves.toBe('503 5');
    expect(warnings.at(-1)).toBe(
      `${issuer.url}/.well-known/openid-configuration names keys at http://keys.example.com/; expected https`,
    );
  });

  test('a token of no form is 401, and nobody asks the issuer', async () => {
    await expect(callers()('a.b.c')).resolves.toBe('401');
    expect(issuer.asked).toEqual([]);
  });
});

describe('the keys of an issuer', () => {
  test('are read once, from the address that its document names', async () => {
    const ask = callers();
    const token = await issuer.token();
    await Promise.all([ask(token), ask(token)]);
    await ask(token);
    expect(issuer.asked).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  test('are read from a given address, without its document', async () => {
    await expect(callers(`${issuer.url}/keys`)(await issuer.token())).resolves.toBe('c-1');
    expect(issuer.asked).toEqual(['/keys']);
  });

  test('are read again for a token of a new key, at most every 30 s', async () => {
    const ask = callers(`${issuer.url}/keys`);
    await ask(await issuer.token());
    const second = await rotated();
    const token = await issuer.token({ key: second });
    await expect(ask(token)).resolves.toBe('401');
    nowMs += MINUTE_MS / 2;
    await expect(ask(token)).resolves.toBe('c-1');
    for (const kid of ['a', 'b', 'c']) await ask(await issuer.token({ header: { kid } }));
    expect(issuer.asked).toHaveLength(2);
  });

  // A function is frozen between its requests, so keys that are read beside a request may never arrive
  test('are no longer valid 10 minutes after the issuer has withdrawn them, for the first request already', async () => {
    const ask = callers(`${issuer.url}/keys`);
    const old = await issuer.token();
    await ask(old);
    await rotated();
    nowMs += 10 * MINUTE_MS;
    await expect(Promise.all([ask(old), ask(old)])).resolves.toEqual(['401', '401']);
    expect(issuer.asked).toHaveLength(2);
  });

  test('count after 10 minutes if the issuer does not answer: one request a minute waits 3 s for it, the others do not', async () => {
    const ask = callers();
    const token = await issuer.token();
    await ask(token);
    issuer.answer = () => undefined;
    nowMs += 10 * MINUTE_MS;
    const elapsedMs = async () => {
      const startedAtMs = performance.now();
      await expect(ask(token)).resolves.toBe('c-1');
      return performance.now() - startedAtMs;
    };
    expect(await elapsedMs()).toBeGreaterThan(2900);
    nowMs += 59_000;
    expect(await elapsedMs()).toBeLessThan(1500);
  });

  test('count for two hours while the issuer is away, and then no longer', async () => {
    const ask = callers(`${issuer.url}/keys`);
    const token = await issuer.token();
    await ask(token);
    issuer.answer = answers(500, '');
    nowMs += 119 * MINUTE_MS;
    await expect(ask(token)).resolves.toBe('c-1');
    nowMs += MINUTE_MS;
    await expect(ask(token)).resolves.toBe('503 5');
  });
});

async function rotated(): Promise<SigningKey> {
  const key = await signingKey('second', 'ES256');
  issuer.published = [key];
  return key;
}

/** Sends keys for as long as the caller reads. */
function endless(_request: unknown, response: ServerResponse): void {
  response.write('{"keys":[');
  const more = (): void => {
    if (!response.destroyed) response.write('{"kty":"RSA"},'.repeat(1000), more);
  };
  more();
}
