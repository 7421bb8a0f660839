import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { TestIssuer } from 'baton-tasks/testing';
import * as z from 'zod';
import { createLogger, type Logger } from '../../telemetry/logger.ts';
import { createApi } from '../api.ts';
import type { HttpEvent } from '../http-message.ts';
import type { RunningServer } from '../listener.ts';
import { route } from '../route.ts';
import type { ApiHandler } from '../router.ts';
import { serve } from '../server.ts';
import { HostileIssuer, type SigningKey, signingKey, unsigned, weakKey } from './hostile-issuer.ts';

const logger = createLogger({ service: 'tests', level: 'silent' });

const routes = [
  route('GET', '/own', {}, async ({ caller }) => ({
    status: 200,
    body: { ...caller, mayOperate: caller.may('operator') },
  })),
  route('GET', '/open', { access: 'public' }, async ({ caller }) => ({ status: 200, body: caller })),
  route('GET', '/all', { access: { scopes: ['operator', 'auditor'] } }, async ({ caller }) => ({
    status: 200,
    body: caller,
  })),
  route('POST', '/own/{id}', { body: z.strictObject({ size: z.int() }) }, async () => ({
    status: 202,
    body: {},
  })),
];

interface Asked {
  readonly method?: string;
  readonly path?: string;
  /** The values of all `authorization` headers. */
  readonly authorization?: readonly string[];
}

interface Answered {
  readonly status: number;
  readonly challenge: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Record<string, unknown>;
}

type Ask = (asked: Asked) => Promise<Answered>;

function byEvent(handler: ApiHandler, eventOf: (asked: Required<Asked>) => unknown): Ask {
  return async ({ method = 'GET', path = '/own', authorization = [] }) => {
    const [plain = '', query] = path.split('?');
    const own = query === undefined ? {} : { queryStringParameters: { [query]: '' } };
    const event = { ...own, ...(eventOf({ method, path: plain, authorization }) as HttpEvent) };
    const { statusCode, headers, body } = await handler(event, {});
    return { status: statusCode, headers, challenge: headers['www-authenticate'], body: parsed(body) };
  };
}

const version2 = ({ method, path, authorization }: Required<Asked>) => ({
  version: '2.0',
  rawPath: path,
  headers: authorization.length > 0 ? { authorization: authorization.join(',') } : {},
  requestContext: { http: { method, path } },
});

const version1 = ({ method, path, authorization }: Required<Asked>) => ({
  version: '1.0',
  httpMethod: method,
  path,
  headers: authorization.length > 0 ? { Authorization: authorization.at(-1) } : {},
  multiValueHeaders: authorization.length > 0 ? { Authorization: authorization } : {},
  requestContext: { stage: 'dev' },
  isBase64Encoded: false,
});

function byServer(port: number): Ask {
  return async ({ method = 'GET', path = '/own', authorization = [] }) => {
    const headers = ['host', 'tests', ...authorization.flatMap((value) => ['authorization', value])];
    const asking = httpRequest({ host: '127.0.0.1', port, method, path, headers }).end();
    asking.on('error', () => undefined);
    const [answer] = (await once(asking, 'response')) as [IncomingMessage];
    const status = answer.statusCode ?? 0;
    const body = parsed(await text(answer));
    return { status, headers: answer.headers, challenge: answer.headers['www-authenticate'], body };
  };
}

function parsed(body: string): Record<string, unknown> {
  return body === '' ? {} : (JSON.parse(body) as Record<string, unknown>);
}

/** A logger that writes into a list. */
function recorder(lines: string[]): Logger {
  const write = (level: string) => (fields: object, message: string) =>
    lines.push(`${level} ${JSON.stringify(fields)} ${message}`);
  const own = { info: write('info'), warn: write('warn'), error: write('error'), child: () => own };
  return own as never;
}

let issuer: HostileIssuer;
let stranger: SigningKey;
let weak: SigningKey;
let server: RunningServer;
let asks: Readonly<Record<string, Ask>>;
beforeAll(async () => {
  [issuer, stranger] = [await HostileIssuer.start(), await signingKey('first')];
  weak = await weakKey('weak');
  issuer.published = [issuer.key, weak];
  const handler = createApi({ logger, environment: issuer.environment }, routes);
  server = await serve({ handler, host: '127.0.0.1', port: 0, logger });
  asks = {
    'an event in format 2.0': byEvent(handler, version2),
    'an event in format 1.0': byEvent(handler, version1),
    "the container's server": byServer(server.port),
  };
});
afterAll(async () => {
  await server.close();
  await issuer.stop();
});

const now = (): number => Math.floor(Date.now() / 1000);
const bearer = async (token: Promise<string>): Promise<string[]> => [`Bearer ${await token}`];
const withClaims = (claims: Record<string, unknown>) => () => bearer(issuer.token({ claims }));
const withHeader = (header: Record<string, unknown>) => () => bearer(issuer.token({ header }));

describe.each(['an event in format 2.0', 'an event in format 1.0', "the container's server"])(
  'by %s',
  (form) => {
    const ask: Ask = (asked) => (asks[form] as Ask)(asked);

    test.each<[string, () => Promise<string[]>]>([
      ['no token', async () => []],
      ['an empty header', async () => ['']],
      ['another scheme', async () => ['Basic YTpi']],
      ['a token without its scheme', async () => [await issuer.token()]],
    ])('refuses %s, and asks for a token', async (_what, headersOf) => {
      const answer = await ask({ authorization: await headersOf() });
      expect(answer).toMatchObject({ status: 401, challenge: 'Bearer' });
      expect(answer.body).toMatchObject({ type: 'urn:baton:problem:unauthenticated', status: 401 });
    });

    test.each<[string, () => Promise<string[]>]>([
      ['a scheme without a token', async () => ['Bearer']],
      ['a token after a tab', async () => [`Bearer\t${await issuer.token()}`]],
      ['text that is no token', async () => ['Bearer a b']],
      ['text in the form of a token', async () => ['Bearer a.b.c']],
      ['two tokens', async () => [...(await bearer(issuer.token())), ...(await bearer(issuer.token()))]],
      [
        'two tokens in one header',
        async () => [(await bearer(issuer.token())).join(',').concat(',Bearer x')],
      ],
      ['a token after a valid other scheme', async () => ['Basic YTpi', ...(await bearer(issuer.token()))]],
      ['a token that expired a minute ago', withClaims({ exp: now() - 60 })],
      ['a token without an end', withClaims({ exp: undefined })],
      ['a token whose end is a text', withClaims({ exp: '9999999999' })],
      ['a token that is valid in a minute', withClaims({ nbf: now() + 60 })],
      ['a token of another issuer', withClaims({ iss: 'https://evil.example.com' })],
      [
        'a token of an issuer with a longer name',
        async () => bearer(issuer.token({ claims: { iss: `${issuer.url}/` } })),
      ],
      ['a token without an issuer', withClaims({ iss: undefined })],
      ['a token for another audience', withClaims({ aud: 'others' })],
      ['a token for a list of others', withClaims({ aud: ['others', 'tests2'] })],
      ['a token for nobody', withClaims({ aud: undefined })],
      [
        'a token for another audience by a client of this one',
        withClaims({ aud: 'others', client_id: 'tests' }),
      ],
      ['a token for an empty list by a client of this one', withClaims({ aud: [], client_id: 'tests' })],
      ['a token without a signature', async () => bearer(issuer.token().then((token) => unsigned(token)))],
      [
        'a token with the algorithm nOnE',
        async () => bearer(issuer.token().then((token) => unsigned(token, 'nOnE'))),
      ],
      ['a token signed with the public key as a secret', async () => bearer(issuer.confusedToken())],
      ['a token signed by another key of that name', async () => bearer(issuer.token({ key: stranger }))],
      [
        'a token that brings its own key',
        async () =>
          bearer(
            issuer.token({ key: stranger, header: { jwk: { kty: 'RSA' }, jku: 'http://127.0.0.1:1/' } }),
          ),
      ],
      ['a token of an unknown key', withHeader({ kid: 'unknown' })],
      ['a token with a critical extension', withHeader({ crit: ['extension'], extension: 1 })],
      [
        'a changed token',
        async () =>
          bearer(
            issuer
              .token()
              .then((token) =>
                token.replace(/\.[^.]+\./, `.${Buffer.from('{"sub":"admin"}').toString('base64url')}.`),
              ),
          ),
      ],
      ['a token without a subject', withClaims({ sub: undefined })],
      ['a token with an empty subject', withClaims({ sub: '' })],
      ['a token with a blank subject', withClaims({ sub: '  ' })],
      ['a token whose subject is a number', withClaims({ sub: 1 })],
      ['a token with a subject of 256 characters', withClaims({ sub: 'x'.repeat(256) })],
      ['a token with a line break in its subject', withClaims({ sub: 'a\nb' })],
      ['a token with the subject of the anonymous caller', withClaims({ sub: '(anonymous)' })],
      ['an ID token that says so', withHeader({ typ: 'id_token+jwt' })],
      ['a logout token', withHeader({ typ: 'logout+jwt' })],
      ['a token whose type is no text', withHeader({ typ: ['at+jwt'] })],
      [
        'a logout token without a type',
        withClaims({ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }),
      ],
      ['a token of a key of 1024 bits', async () => [`Bearer ${await issuer.weakToken(weak)}`]],
      ['a token of 9 KB', withClaims({ padding: 'x'.repeat(9000) })],
    ])('refuses %s', async (_what, headersOf) => {
      const answer = await ask({ authorization: await headersOf() });
      expect(answer.status).toBe(401);
      // The scheme of two different headers is the first's
      expect(answer.challenge).toMatch(/^Bearer($| error="invalid_token")/);
      expect(answer.body).toMatchObject({ type: 'urn:baton:problem:unauthenticated', status: 401 });
      expect(JSON.stringify(answer.body)).not.toMatch(/signature|audience|issuer\b.*evil/);
    });

    test('refuses a token of 100 KB at once', async () => {
      const authorization = await bearer(issuer.token({ claims: { padding: 'x'.repeat(100_000) } }));
      const { status } = await ask({ authorization }).catch(() => ({ status: 431 }));
      expect([401, 431]).toContain(status);
    });

    test.each<[string, () => Promise<string[]>]>([
      ['a valid token', () => bearer(issuer.token())],
      ['a scheme in lower case', async () => [`bearer ${await issuer.token()}`]],
      ['an end less than the tolerance of clocks ago', withClaims({ exp: now() - 3 })],
      ['the type of access tokens', withHeader({ typ: 'at+jwt' })],
      ['the whole name of that type', withHeader({ typ: 'application/at+JWT' })],
      ['the type of all tokens', withHeader({ typ: 'JWT' })],
      ['one audience of several', withClaims({ aud: ['others', 'more-tests'] })],
      [
        'a client in place of the audience, as Cognito has it',
        withClaims({ aud: undefined, client_id: 'tests' }),
      ],
    ])('accepts %s', async (_what, headersOf) => {
      const answer = await ask({ authorization: await headersOf() });
      expect(answer).toMatchObject({ status: 200, body: { subject: 'c-1', isAnonymous: false } });
    });

    test.each<[object, string[]]>([
      [{ scope: 'orders:read operator' }, ['orders:read', 'operator']],
      [{ scp: ['operator', 'auditor'] }, ['operator', 'auditor']],
      [{ scp: 'operator' }, ['operator']],
      [{ scope: '' }, []],
      [{ scope: 7, scp: 'operator' }, []],
      [{ scope: [['operator']] }, []],
      [{}, []],
    ])('reads the scopes of %j', async (claims, scopes) => {
      const { body } = await ask({ authorization: await bearer(issuer.token({ claims: { ...claims } })) });
      expect(body).toMatchObject({ scopes, mayOperate: scopes.includes('operator') });
    });

    test('lets a caller with one of its scopes pass to a route', async () => {
      const withScope = async (scope: string) =>
        ask({ path: '/all', authorization: await bearer(issuer.token({ claims: { scope } })) });
      expect((await withScope('auditor')).status).toBe(200);
      const refused = await withScope('operators OPERATOR oper');
      expect(refused).toMatchObject({ status: 403, body: { type: 'urn:baton:problem:forbidden' } });
      expect(refused.challenge).toBe('Bearer error="insufficient_scope", scope="operator auditor"');
    });

    test('lets anybody call a public route, as a stranger who may do nothing, and checks a token all the same', async () => {
      const path = '/open';
      await expect(ask({ path })).resolves.toMatchObject({
        status: 200,
        body: { isAnonymous: true, subject: '(anonymous)', scopes: [] },
      });
      const own = await ask({ path, authorization: await bearer(issuer.token()) });
      expect(own.body).toMatchObject({ subject: 'c-1' });
      const forged = await ask({ path, authorization: await bearer(issuer.token({ key: stranger })) });
      // RFC 9110, section 11.4: spaces alone part a scheme from its token
      const tab = await ask({ path, authorization: [`Bearer\t${await issuer.token()}`] });
      expect([forged.status, tab.status]).toEqual([401, 401]);
    });

    test('checks the token before the query, the body and the path', async () => {
      for (const asked of [
        { method: 'POST', path: '/own/1' },
        { path: '/own?x=1' },
        { method: 'POST', path: `/own/${'x'.repeat(200)}` },
        { method: 'HEAD' },
      ])
        expect((await ask(asked)).status).toBe(401);
    });

    test('tells without a token which methods a path has, and that a path is unknown', async () => {
      const options = await ask({ method: 'OPTIONS', path: '/own/1' });
      expect(options).toMatchObject({ status: 204, headers: { allow: 'POST, OPTIONS' } });
      expect((await ask({ method: 'DELETE' })).status).toBe(405);
      expect((await ask({ path: '/nothing' })).status).toBe(404);
    });
  },
);

test('a token of an issuer for tests is accepted, and one that has expired is not', async () => {
  const own = await TestIssuer.start();
  const handler = createApi({ logger, environment: own.environment }, routes);
  const ask = byEvent(handler, version2);
  const answer = await ask({
    authorization: await bearer(own.token({ subject: 'c-7', scopes: ['a', 'b'] })),
  });
  expect(answer.body).toMatchObject({ subject: 'c-7', scopes: ['a', 'b'] });
  const late = await ask({ authorization: await bearer(own.token({ subject: 'c-7', seconds: -60 })) });
  expect(late.challenge).toContain('expired');
  await own.stop();
});

test('a token is in no log line, and neither is what it claims', async () => {
  const lines: string[] = [];
  const handler = createApi({ logger: recorder(lines), environment: issuer.environment }, routes);
  const token = await issuer.token({ claims: { exp: now() - 60, email: 'a@example.com' } });
  await byEvent(handler, version2)({ authorization: [`Bearer ${token}`] });
  expect(lines.join()).toContain('"reason":"expired"');
  expect(lines.join()).not.toContain(token.slice(-20));
  expect(lines.join()).not.toContain('a@example.com');
});

describe('without authentication', () => {
  test('everybody may call every route, and may do everything, and a warning says so', async () => {
    const lines: string[] = [];
    const environment = { AUTHENTICATION: 'none' };
    const handler = createApi({ logger: recorder(lines), environment }, routes);
    expect(lines).toEqual(['warn {} authentication is off: everybody may call every route']);
    const ask = byEvent(handler, version2);
    const body = { isAnonymous: true, subject: '(anonymous)', mayOperate: true };
    await expect(ask({})).resolves.toMatchObject({ status: 200, body });
    await expect(ask({ path: '/all' })).resolves.toMatchObject({ status: 200 });
    await expect(ask({ authorization: ['Bearer rubbish'] })).resolves.toMatchObject({ status: 200, body });
  });
});

test.each<[unknown]>([[[]], [['two words']], [['']], [['"']], ['operator'], [undefined]])(
  'a route with the scopes %j is a mistake of its author',
  (scopes) => {
    const make = () =>
      route('GET', '/x', { access: { scopes } as never }, async () => ({ status: 200, body: {} }));
    expect(make).toThrow(/access of the route GET \/x .*expected 'public'/);
  },
);
