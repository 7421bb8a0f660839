import { describe, expect, test } from '@jest/globals';
import { readStack } from '../../stack/described-stack.ts';
import type { Functions } from '../../stack/part.ts';
import { routingOf } from '../routing.ts';

const sqs = { arn: { 'Fn::GetAtt': ['LettersQueue', 'Arn'] } };
const api = (service: string, prefix: string): Functions[string] => ({
  handler: `functions/${service}/api.handler`,
  events: [{ httpApi: `ANY /${prefix}` }, { httpApi: `ANY /${prefix}/{proxy+}` }],
});
const functions: Functions = {
  lettersServiceApi: api('letters-service', 'letters'),
  lettersServiceDeliveries: {
    handler: 'functions/letters-service/handlers.deliveries',
    timeout: 60,
    events: [{ sqs }],
  },
  parcelsServiceApi: api('parcels-service', 'parcels'),
  parcelsServiceOutcomes: { handler: 'functions/parcels-service/handlers.outcomes', events: [{ sqs }] },
  worker: { handler: 'worker/lambda.handler', timeout: 90, events: [{ sqs }] },
};

describe('the routing in containers', () => {
  test('comes from the functions of the services; the worker and the APIs consume no queue', () => {
    const { services, consumers } = routingOf(functions, 'dev');
    expect(Object.fromEntries(services)).toEqual({ letters: 'letters-service', parcels: 'parcels-service' });
    expect(Object.fromEntries(consumers)).toEqual({
      'baton-dev-lettersServiceDeliveries': {
        service: 'letters-service',
        handler: 'deliveries',
        timeoutSeconds: 60,
      },
      'baton-dev-parcelsServiceOutcomes': {
        service: 'parcels-service',
        handler: 'outcomes',
        timeoutSeconds: 29,
      },
    });
  });

  test('uses the names of its stage', () => {
    const names = [...routingOf(functions, 'qa').consumers.keys()];
    expect(names).toEqual(['baton-qa-lettersServiceDeliveries', 'baton-qa-parcelsServiceOutcomes']);
  });

  test('is read from the functions.yml of every service', async () => {
    const { services } = routingOf((await readStack('dev')).functions, 'dev');
    expect(Object.fromEntries(services)).toMatchObject({ tasks: 'task-service' });
  });

  test.each([
    [
      'a prefix of two services',
      { one: api('one-service', 'things'), other: api('other-service', 'things') },
      '/things is a prefix of one-service and of other-service',
    ],
    [
      'a route that is no prefix',
      { one: { handler: 'functions/one-service/api.handler', events: [{ httpApi: 'GET /a/b' }] } },
      'functions/one-service/functions.yml, one: expected a route such as ANY /payments, got "GET /a/b"',
    ],
  ] as [string, Functions, string][])('refuses %s', (_what, wrong, says) => {
    expect(() => routingOf(wrong, 'dev')).toThrow(says);
  });
});
