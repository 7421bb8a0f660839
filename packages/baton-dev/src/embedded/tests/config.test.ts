import { describe, expect, test } from '@jest/globals';
import { readLocalConfig } from '../config.ts';

test('the embedded SQS is not hostile and has a random seed, unless the environment says otherwise', () => {
  expect(readLocalConfig({})).toMatchObject({ SQS_HOSTILE: 'false' });
  expect(readLocalConfig({})).not.toHaveProperty('SQS_SEED');
  expect(readLocalConfig({ SQS_HOSTILE: 'true', SQS_SEED: '0' })).toMatchObject({
    SQS_HOSTILE: 'true',
    SQS_SEED: 0,
  });
});

describe('the embedded runtime does not start with', () => {
  test.each([
    [{ SQS_HOSTILE: 'yes' }, 'SQS_HOSTILE held "yes": expected one of true, false'],
    [{ SQS_SEED: '-1' }, 'SQS_SEED held "-1": expected a whole number from 0 to 2147483647'],
    [{ SQS_SEED: '2147483648' }, 'SQS_SEED held "2147483648": expected a whole number from 0 to 2147483647'],
    [
      { SQS_HOSTILE: 'true', AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:4566' },
      'SQS_HOSTILE held "true": expected false, because AWS_ENDPOINT_URL_SQS names another SQS than the embedded one',
    ],
  ])('%j', (environment, says) => {
    expect(() => readLocalConfig(environment)).toThrow(says);
  });
});
