import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { sampleTexts } from '../../rules/tests/sample-texts.ts';
import { withComposeEntry, withContracts, withPort } from '../listed.ts';

const name = { plural: 'unicorns', singular: 'unicorn' };
const { 'docker-compose.localstack.yml': compose = '' } = sampleTexts;

/** Without care, the lines after the gap would belong to the new service. */
const withGap = `x-service: &service {}
x-service-environment: &service-environment {}
services:
  letters-service:
    image: x

    hostname: y

`;

const read = (text: string) => parse(text, { merge: true }) as { services: Record<string, unknown> };

describe('the list of all contracts', () => {
  const contracts = `export const schema = 1;
export const countUnicorns = defineTask({});
export const feedUnicorn = defineTask({});
`;

  test('gets the contracts of the service behind the others', () => {
    const text = sampleTexts['common/contracts/all.ts'] ?? '';
    expect(withContracts(text, 'unicorns.ts', contracts)).toBe(`import { weighParcel } from './parcels.ts';
import { countUnicorns, feedUnicorn } from './unicorns.ts';

export const allContracts = [weighParcel, countUnicorns, feedUnicorn];
`);
  });

  test('may be empty', () => {
    const text =
      "import type { TaskContract } from 'baton-tasks';\n\nexport const allContracts: readonly TaskContract[] = [];\n";
    expect(withContracts(text, 'unicorns.ts', contracts)).toContain('= [countUnicorns, feedUnicorn];');
  });

  test('in another form is refused', () => {
    expect(() => withContracts('export const all = [];', 'unicorns.ts', contracts)).toThrow('another form');
  });
});

describe('the compose file', () => {
  const changed = withComposeEntry(compose, name, 8009);

  test('gets the service in the form of the others, without any other change', () => {
    const { services, ...others } = read(changed);
    const { 'unicorns-service': added, ...before } = services;
    expect({ services: before, ...others }).toEqual(read(compose));
    expect(added).toEqual({
      ...(read(compose).services['task-service'] as object),
      image: 'baton/unicorns-service:${IMAGE_TAG:-latest}',
      build: {
        context: '.',
        dockerfile: 'functions/unicorns-service/Dockerfile',
        target: 'server',
        args: { REVISION: '${REVISION:-unknown}' },
      },
      environment: {
        ...(read(compose).services['task-service'] as { environment: object }).environment,
        UNICORNS_TABLE: 'baton-dev-unicorns',
        UNICORNS_RETENTION_DAYS: 400,
      },
      ports: ['127.0.0.1:${UNICORNS_SERVICE_PORT:-8009}:8000'],
    });
  });

  test('keeps all existing lines', () => {
    const lines = changed.split('\n');
    const added = new Set(lines.slice(lines.indexOf('  unicorns-service:')).slice(0, 10));
    expect(lines.filter((line) => !added.has(line)).join('\n')).not.toContain('unicorns');
    expect(lines.length - compose.split('\n').length).toBe(10);
  });

  test.each([
    ['no service', 'services: {}\n'],
    ['another form', 'services:\n  order-service:\n    image: x'],
    ['an empty line inside an entry', withGap],
    ['the service already', changed],
  ])('with %s is refused', (_what, text) => {
    expect(() => withComposeEntry(text, name, 8009)).toThrow('has another form: expected');
  });
});

test("the example environment gets the service's port after the others", () => {
  expect(withPort('A=1\nTASK_SERVICE_PORT=8001\n\nB=2\n', name, 8009)).toBe(
    'A=1\nTASK_SERVICE_PORT=8001\nUNICORNS_SERVICE_PORT=8009\n\nB=2\n',
  );
  expect(withPort('A=1\n', name, 8009)).toBe('A=1\n');
});
