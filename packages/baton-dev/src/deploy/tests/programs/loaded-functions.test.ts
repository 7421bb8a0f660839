import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { partOf } from '../../../stack/part.ts';
import { ROOT } from '../../../stack/root.ts';
import { StackError } from '../../../stack/stack-error.ts';
import { loadFunctions } from '../../loaded-functions.ts';

const API = `
import { createApi, route } from 'baton-tasks/http';
import { createService, text } from 'baton-tasks/service';
import * as z from 'zod';
const variables = z.object({ SHOP_URL: z.url({ error: 'expected a URL' }), NOTE: z.string().optional() });
const service = createService({ name: 'shop', version: '1.0.0', port: 8999, variables });
const found = async () => ({ status: 200, body: {} });
export const handler = createApi(service, [
  route('GET', '/shop', { access: 'public' }, found),
  route('POST', '/shop/{id}', { access: { scopes: ['buyer'] } }, found),
]);
export const consumer = () => service;
export const other = 7;
`;

const SECRETIVE = `
import { createService } from 'baton-tasks/service';
import * as z from 'zod';
const secrets = z.object({ SHOP_LOGIN: z.string({ error: 'expected a login' }) });
const { secrets: { SHOP_LOGIN } } = createService({ name: 'shop', version: '1.0.0', port: 8999, secrets });
export const consumer = () => SHOP_LOGIN.value();
`;

const part = partOf(
  `
parameters:
  shop-url: { description: The shop, local: 'http://127.0.0.1:9/' }
  note: A note
  shop-login: The secret with the login
functions:
  shop:
    handler: a.b
    environment: { SHOP_URL: "\${param:shop-url, ''}", NOTE: "\${param:note, ''}" }
  bare:
    handler: a.b
    environment: { SHOP_URL: "\${param:note, ''}" }
  secretive:
    handler: a.b
    access: { secrets: { SHOP_LOGIN: shop-login } }
`,
  'functions.yml',
  'dev',
);

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'baton-loaded-'));
  await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  await writeFile(join(root, 'package.json'), '{ "type": "module" }');
  await writeFile(join(root, 'api.ts'), API);
  await writeFile(join(root, 'secretive.ts'), SECRETIVE);
  await writeFile(join(root, 'broken.ts'), "throw new Error('a mistake at the start');");
});
afterAll(() => rm(root, { recursive: true }));

function load(environment: Record<string, unknown>, handler = 'api.handler', name = 'shop') {
  const all = { AUTHENTICATION: 'none', ...environment };
  return loadFunctions({
    root,
    functions: { [name]: { name: `baton-dev-${name}`, handler, environment: all, events: [] } },
    environment: { QUEUE_URL_PREFIX: { 'Fn::Sub': 'https://...' }, LOG_LEVEL: 'info' },
    region: 'eu-central-1',
    parts: new Map([['functions/shop', part]]),
  });
}

describe('a function of a deploy', () => {
  test('tells the routes of its API, and who may call them', async () => {
    const routes = await load({ SHOP_URL: 'https://shop.example.com', NOTE: '' });
    expect(routes.get('shop')).toEqual([
      { method: 'GET', path: '/shop', access: 'public' },
      { method: 'POST', path: '/shop/{id}', access: { scopes: ['buyer'] } },
    ]);
  });

  test('has no routes if it is no API', async () => {
    await expect(load({ SHOP_URL: 'https://shop.example.com' }, 'api.consumer')).resolves.toEqual(new Map());
  });

  test.each<[string, Record<string, unknown>, string[]]>([
    [
      'a required parameter is missing',
      { SHOP_URL: '' },
      [
        'The function shop would not start on AWS: expected --param="shop-url=...".',
        'SHOP_URL is not set: expected a URL',
      ],
    ],
    ['a parameter is wrong', { SHOP_URL: 'shop' }, ['would not start on AWS', 'SHOP_URL held "***"']],
    [
      'it does not know who may call',
      { SHOP_URL: 'https://a', AUTHENTICATION: '' },
      ['JWT_ISSUER is not set'],
    ],
  ])('stops the deploy if %s', async (_what, environment, says) => {
    const loading = load(environment);
    await expect(loading).rejects.toThrow(StackError);
    for (const line of says) await expect(loading).rejects.toThrow(line);
  });

  test('has the local value of a parameter in place of a reference that only AWS resolves', async () => {
    const reference = '{{resolve:ssm:shop-url}}';
    await expect(load({ SHOP_URL: reference, NOTE: reference })).resolves.toHaveProperty('size', 1);
    await expect(load({ SHOP_URL: reference }, 'api.handler', 'bare')).rejects.toThrow(
      './functions.yml: the value of SHOP_URL is known on AWS alone, and bare does not start without one: expected its parameter to have a "local" value',
    );
  });

  test('needs the ARN of a secret that it requires, and not the secret', async () => {
    const arn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-AbCdEf';
    const withArn = load({ SHOP_LOGIN_SECRET: arn }, 'secretive.consumer', 'secretive');
    await expect(withArn).resolves.toEqual(new Map());
    await expect(load({}, 'secretive.consumer', 'secretive')).rejects.toThrow(
      'The function secretive would not start on AWS: expected --param="shop-login=...".',
    );
  });

  test.each([
    ['fails as it is loaded', 'broken.handler', 'a mistake at the start'],
    ['does not exist', 'none.handler', 'none.ts'],
    ['is not exported', 'api.none', 'api.ts: expected it to export the function none'],
    ['is no function', 'api.other', 'api.ts: expected it to export the function other'],
  ])('stops the deploy if it %s', async (_what, handler, says) => {
    const loading = load({ SHOP_URL: 'https://shop.example.com' }, handler);
    await expect(loading).rejects.toThrow('The function shop would not start on AWS');
    await expect(loading).rejects.toThrow(says);
  });

  test('gets nothing of the environment of this machine', async () => {
    process.env['SHOP_URL'] = 'https://mine.example.com';
    try {
      await expect(load({})).rejects.toThrow('SHOP_URL is not set');
    } finally {
      delete process.env['SHOP_URL'];
    }
  });
});
