import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { baseImageIn, checkBaseImage, type Registry } from '../base-image.ts';

const TAG = 'node:24.0.0-bookworm-slim';
const digest = (character: string): string => `sha256:${character.repeat(64)}`;

let server: Server;
let registry: Registry;
/** What the registry has, by tag and by digest. */
let images: Map<string, string>;

beforeAll(async () => {
  server = createServer(({ url = '', headers }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://registry');
    if (pathname === '/token') {
      response.end(JSON.stringify({ token: searchParams.get('scope') }));
      return;
    }
    const found = images.get(pathname.replace('/v2/library/node/manifests/', ''));
    const mayRead = headers.authorization === 'Bearer repository:library/node:pull';
    if (found) response.setHeader('docker-content-digest', found);
    const status = found ? 200 : 404;
    response.writeHead(mayRead ? status : 401).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  registry = { images: at, tokens: `${at}/token?service=tests` };
});
beforeEach(() => {
  images = new Map([
    ['24.0.0-bookworm-slim', digest('a')],
    [digest('a'), digest('a')],
    [digest('b'), digest('b')],
  ]);
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

describe('a base image', () => {
  test('passes with the digest of its tag', async () => {
    await expect(checkBaseImage(`${TAG}@${digest('a')}`, registry)).resolves.toEqual({
      name: `digest of the base image ${TAG}`,
      state: 'passed',
      detail: digest('a'),
    });
  });

  test('passes with the digest that its tag had before, and says so', async () => {
    const { state, detail } = await checkBaseImage(`${TAG}@${digest('b')}`, registry);
    expect([state, detail]).toEqual([
      'passed',
      `${digest('b')}; the tag has been given to ${digest('a')} since`,
    ]);
  });

  test('without a digest gets the line to write, and fails nobody who has just begun', async () => {
    const { state, detail } = await checkBaseImage(TAG, registry);
    expect(state).toBe('warned');
    expect(detail).toContain(`write ARG NODE_IMAGE=${TAG}@${digest('a')} in `);
  });

  test.each([
    ['with a digest that no image has', `${TAG}@${digest('c')}`, `no image with ${digest('c')}`],
    ['with a tag that no image has', 'node:1', 'has no node:1'],
    ['of a registry of its own', 'example.com/node:24', 'expected NAME:TAG@sha256:...'],
  ])('fails %s', async (_what, image, says) => {
    const { state, detail } = await checkBaseImage(image, registry);
    expect(state).toBe('failed');
    expect(detail).toContain(says);
  });

  test('is skipped with the reason if the registry does not answer', async () => {
    const away = { images: 'http://127.0.0.1:1', tokens: 'http://127.0.0.1:1/token' };
    await expect(checkBaseImage(TAG, away)).resolves.toMatchObject({
      state: 'skipped',
      detail: expect.stringContaining('cannot be reached') as unknown,
    });
  });

  test('stands in one line of a Dockerfile', () => {
    expect(baseImageIn(`# A comment\nARG NODE_IMAGE=${TAG}\nFROM x\n`)).toBe(TAG);
    expect(() => baseImageIn('FROM node')).toThrow('no line ARG NODE_IMAGE');
  });
});
