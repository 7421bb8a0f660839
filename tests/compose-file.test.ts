import { describe, expect, test } from '@jest/globals';
import { parts, servicesFunctions } from '@baton/local/functions-yml';
import { readRouting } from '@baton/local/routing';
import { parse } from 'yaml';
import { textOf } from './support/source.ts';

interface Entry {
  readonly build?: { readonly dockerfile: string; readonly target: string };
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly stop_grace_period?: string;
}

const text = textOf('docker-compose.localstack.yml');
const file = parse(text, { merge: true }) as { services: Record<string, Entry> };
const entries = Object.entries(file.services).map(([name, entry]) => ({ name, entry }));
const folders = parts.map((folder) => ({ folder, name: folder.split('/').at(-1) ?? '' }));
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
    const callable = [...new Set(readRouting('dev').services.values()), 'gateway'];
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
    const drain = Number(environment['DRAIN_TIMEOUT_SECONDS']) + Number(environment['ABORT_GRACE_SECONDS']);
    expect(seconds('worker')).toBeGreaterThan(drain);
    const services = parts.filter((folder) => folder !== 'worker');
    const longest = Math.max(
      ...Object.values(servicesFunctions(services, 'dev')).map(({ timeout = 0 }) => timeout),
    );
    expect(longest).toBeGreaterThan(0);
    for (const name of ['gateway', ...services.map((folder) => folder.slice('functions/'.length))])
      expect({ name, longEnough: seconds(name) > longest }).toEqual({ name, longEnough: true });
  });

  test('reads no variable that .env.example does not list', () => {
    const variables = [...text.matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name);
    const example = textOf('.env.example');
    expect(variables.length).toBeGreaterThan(5);
    expect(variables.filter((name) => !new RegExp(`^(# )?${name}=`, 'm').test(example))).toEqual([]);
  });
});
