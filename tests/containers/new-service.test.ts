import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { RepositoryCopy } from '../support/repository-copy.ts';
import { freePort } from 'baton-dev/testing/program';
import { docker } from './docker.ts';
import { note } from './figures.ts';

const project = `baton-new-${randomBytes(3).toString('hex')}`;

let copy: RepositoryCopy;
let url: string;
let variables: string[];

const compose = (...words: readonly string[]) =>
  copy.run(
    'env',
    ...variables,
    'docker',
    'compose',
    '--progress=quiet',
    '--file=docker-compose.localstack.yml',
    ...words,
  );

beforeAll(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  variables = [
    'COMPOSE_PARALLEL_LIMIT=1',
    `COMPOSE_PROJECT_NAME=${project}`,
    `IMAGE_TAG=${project}`,
    `UNICORNS_SERVICE_PORT=${port}`,
  ];
  copy = await RepositoryCopy.make();
}, 300_000);
afterAll(async () => {
  try {
    await compose('down', '--volumes', '--timeout=1');
    const images = await docker('image', 'ls', '--quiet', `--filter=reference=baton/*:${project}`);
    const ids = images.split('\n').filter((id) => id !== '');
    if (ids.length > 0) await docker('image', 'rm', '--force', ...ids);
  } finally {
    await copy.remove();
  }
}, 60_000);

test('the image of a new service builds, and finds its queue and its table in the compose file', async () => {
  await expect(copy.run('npm', 'run', 'new:service', 'unicorns')).resolves.toMatchObject({ exitCode: 0 });
  await expect(compose('build', 'resources', 'unicorns-service')).resolves.toMatchObject({ exitCode: 0 });
  // Healthy means that it has reached both
  const up = await compose('up', '--detach', '--wait', 'unicorns-service');
  expect([up.exitCode, up.exitCode === 0 ? '' : up.output]).toEqual([0, '']);
  const response = await fetch(`${url}/unicorns`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"reference":"r-1"}',
  });
  expect(response.status).toBe(202);
  const found = await fetch(url + String(response.headers.get('location')));
  await expect(found.json()).resolves.toMatchObject({ reference: 'r-1', status: 'accepted' });
  const changed = (await copy.changes()).filter((line) => / (functions|worker|packages)\//.test(line));
  note({
    criterion: 'SC-004',
    what: 'a new service changes no other',
    target: 'no file of another service',
    seen: `only ${changed.map((line) => line.replace(/^\?\? /, '')).join(', ')} is new`,
    holds: changed.length === 1,
  });
  expect(changed).toEqual(['?? functions/unicorns-service/']);
});
