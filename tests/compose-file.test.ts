import { describe, expect, test } from '@jest/globals';
import { readStack } from 'baton-dev/stack/described-stack';
import { partFolders } from 'baton-dev/stack/part';
import { routingOf } from 'baton-dev/containers/routing';
import { parse } from 'yaml';
import { textOf } from './support/source.ts';

/** What a worker's stop takes at the most beyond its drain and its waits: four times 5 s, and a reserve of 3 s. */
const RELEASE_SECONDS = 23;

interface Entry {
  readonly build?: { readonly dockerfile: string; readonly target: string };
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, object>>;
  readonly stop_grace_period?: string;
}

const text = textOf('docker-compose.localstack.yml');
const file = parse(text, { merge: true }) as { services: Record<string, Entry> };
const entries = Object.entries(file.services).map(([name, entry]) => ({ name, entry }));
const { functions } = await readStack('dev');
const folders = partFolders().map((folder) => ({ folder, name: folder.split('/').at(-1) ?? '' }));
const seconds = (name: string): number => parseInt(file.services[name]?.stop_grace_period ?? '', 10);

describe('docker-compose.localstack.yml', () => {
  test.each(folders)('runs $folder from its own image', ({ folder, name }) => {
    expect(file.services[name]?.build).toMatchObject({
      dockerfile: `${folder}/Dockerfile`,
      target: 'server',
    });
  });

  test.each(entries)(
    'has $name restarted after a crash, within limits, without rights and with a log that ends',
    ({ entry }) => {
      expect(entry).toMatchObject({
        restart: 'unless-stopped',
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        deploy: { resources: { limits: { cpus: expect.any(String), memory: expect.any(String) } } },
        logging: { options: { 'max-size': expect.any(String), 'max-file': expect.any(String) } },
      });
      expect(entry).not.toHaveProperty('privileged');
    },
  );

  test('publishes the gateway and the services to this machine alone, all the rest to nobody', () => {
    const published = entries.filter(({ entry }) => entry.ports);
    const callable = [...new Set(routingOf(functions, 'dev').services.values()), 'gateway'];
    expect(published.map(({ name }) => name).toSorted()).toEqual(callable.toSorted());
    for (const { entry } of published)
      expect(entry.ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:\$/)]);
    expect(text).toMatch(/^ {2}internal: \{ internal: true \}$/m);
    for (const { name, entry } of entries)
      expect([name, entry.networks]).toEqual([
        name,
        callable.includes(name) ? ['internal', 'edge'] : ['internal'],
      ]);
  });

  test.each(folders)('has no line for $name in any other entry', ({ name }) => {
    const others = entries.filter((other) => other.name !== name);
    expect(
      others.filter(({ entry }) => JSON.stringify(entry).includes(name)).map((other) => other.name),
    ).toEqual([]);
  });

  test('waits longer for what is under way than that may take', () => {
    const { environment = {} } = file.services['worker'] ?? {};
    const secondsOf = (name: string): number => Number(environment[name]);
    const wait = Math.max(secondsOf('WORKER_ABORT_GRACE_SECONDS'), secondsOf('WORKER_WAIT_SECONDS'));
    expect(seconds('worker')).toBeGreaterThan(
      secondsOf('WORKER_DRAIN_TIMEOUT_SECONDS') + wait + RELEASE_SECONDS,
    );
    const services = folders.filter(({ folder }) => folder !== 'worker');
    const { worker: _worker, ...others } = functions;
    const longest = Math.max(...Object.values(others).map(({ timeout = 0 }) => timeout));
    expect(longest).toBeGreaterThan(0);
    for (const name of ['gateway', ...services.map((service) => service.name)])
      expect({ name, longEnough: seconds(name) > longest }).toEqual({ name, longEnough: true });
  });

  test('reads no variable that .env.example does not list', () => {
    const variables = [...text.matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name);
    const example = textOf('.env.example');
    expect(variables.length).toBeGreaterThan(5);
    expect(variables.filter((name) => !new RegExp(`^(# )?${name}=`, 'm').test(example))).toEqual([]);
  });

  test('has the defaults that .env.example tells, and a port of its own for each that is published', () => {
    const defaults = [...text.matchAll(/\$\{(\w+):-([^}]+)\}/g)].map(([, name = '', value = '']) => ({
      name,
      value,
    }));
    const example = textOf('.env.example');
    // npm start has more room, and .env.example says so
    for (const { name, value } of defaults.filter((each) => each.name !== 'WORKER_CONCURRENCY'))
      expect(example.split('\n')).toContain(`${name}=${value}`);
    const ports = defaults.filter((each) => each.name.endsWith('_PORT')).map(({ value }) => value);
    expect(new Set(ports).size).toBe(ports.length);
    expect(ports).toHaveLength(entries.filter(({ entry }) => entry.ports).length);
  });

  test('lets nobody but resources write the event sources, and starts the worker anew with new ones', () => {
    const { worker, resources, ...others } = file.services;
    expect(resources?.volumes).toEqual(['event-sources:/run/baton']);
    expect(worker?.volumes).toEqual(['event-sources:/run/baton:ro']);
    expect(Object.values(others).filter(({ volumes }) => volumes)).toEqual([]);
    expect(worker?.depends_on).toMatchObject({ resources: { condition: 'service_healthy', restart: true } });
  });

  test.each(entries.filter(({ entry }) => entry.build))(
    'keeps the processes of $name within bounds',
    ({ entry }) => {
      expect(entry).toMatchObject({ deploy: { resources: { limits: { pids: expect.any(Number) } } } });
    },
  );
});
