import { describe, expect, test } from '@jest/globals';
import { fillIn } from '../environment.ts';

describe('variables whose values come from AWS', () => {
  test('get a local value', () => {
    const environment = { QUEUE_URL_PREFIX: { 'Fn::Sub': 'https://...' }, LOG_LEVEL: 'info' };
    fillIn([environment], { QUEUE_URL_PREFIX: 'http://127.0.0.1/0/' });
    expect(environment).toEqual({ QUEUE_URL_PREFIX: 'http://127.0.0.1/0/', LOG_LEVEL: 'info' });
  });

  test('of a deploy come from the local environment', () => {
    const environment = { SMTP_URL: '', SMTP_FROM: '', LOG_LEVEL: 'info' };
    fillIn([environment], {}, { SMTP_URL: 'smtp://127.0.0.1:25', LOG_LEVEL: 'debug' });
    expect(environment).toEqual({ SMTP_URL: 'smtp://127.0.0.1:25', SMTP_FROM: '', LOG_LEVEL: 'info' });
  });

  test('are named in an error if they have no local value', () => {
    const environments = [{ TOPIC_ARN: { Ref: 'Topic' } }, { BUCKET: { Ref: 'Bucket' } }];
    expect(() => fillIn(environments, {})).toThrow('TOPIC_ARN, BUCKET');
  });
});
