import { describe, expect, test } from '@jest/globals';
import { ofType, TABLE } from '../../stack/resources.ts';
import { checkRemoval } from '../protection.ts';
import { stackOf } from './described.ts';

const tablesOf = (given: Record<string, string>, stage: string) => {
  const tables = ofType(stackOf(given, [], undefined, stage).resources.Resources, TABLE);
  expect(tables.length).toBeGreaterThan(1);
  return new Set(
    tables.map(([, { DeletionPolicy, UpdateReplacePolicy, Properties }]) =>
      [DeletionPolicy, UpdateReplacePolicy, Properties['DeletionProtectionEnabled']].join(' '),
    ),
  );
};

describe('the tables', () => {
  test.each(['prod', 'staging', 'developer', 'tester', 'Dev'])('of the stage %s are kept', (stage) => {
    expect(tablesOf({}, stage)).toEqual(new Set(['Retain Retain true']));
  });

  test.each(['dev', 'test', 'dev-ada', 'test-1a2b'])('of the stage %s may be deleted', (stage) => {
    expect(tablesOf({}, stage)).toEqual(new Set(['  ']));
  });

  test('are kept or not as the parameter protect says', () => {
    expect(tablesOf({ protect: 'yes' }, 'dev')).toEqual(new Set(['Retain Retain true']));
    expect(tablesOf({ protect: 'no' }, 'prod')).toEqual(new Set(['  ']));
  });
});

describe('a removal of a stage', () => {
  const resourcesOf = (stage: string, given: Record<string, string> = {}) =>
    stackOf(given, [], undefined, stage).resources.Resources;

  test.each([undefined, '', 'yes', 'pro'])('that is protected is refused with the word %j', (word) => {
    expect(() => checkRemoval('prod', resourcesOf('prod'), word)).toThrow(
      'The stage prod is protected, and its messages would be lost: expected --param="remove=prod". Its tables stay.',
    );
  });

  test('that the parameter protect protects is refused too', () => {
    expect(() => checkRemoval('dev', resourcesOf('dev', { protect: 'yes' }), undefined)).toThrow('protected');
  });

  test('goes on with its name as the word, or if it is not protected', () => {
    expect(() => checkRemoval('prod', resourcesOf('prod'), 'prod')).not.toThrow();
    expect(() => checkRemoval('prod', resourcesOf('prod', { protect: 'no' }), undefined)).not.toThrow();
    expect(() => checkRemoval('dev', resourcesOf('dev'), undefined)).not.toThrow();
  });
});

describe("an API's function", () => {
  const concurrencyOf = (given: Record<string, string>, stage: string) => {
    const entries = Object.entries(stackOf(given, [], undefined, stage).functions);
    return new Map(entries.map(([name, each]) => [name, each['reservedConcurrency']]));
  };

  test('has a concurrency of its own, so that a flood of requests leaves some to consumers', () => {
    const concurrency = concurrencyOf({}, 'prod');
    expect(concurrency.get('lettersServiceApi')).toBe(50);
    expect(concurrency.get('worker')).toBeUndefined();
    expect(concurrencyOf({ 'api-concurrency': '7' }, 'dev').get('lettersServiceApi')).toBe(7);
    expect(concurrencyOf({ 'api-concurrency': 'none' }, 'prod').get('lettersServiceApi')).toBeUndefined();
  });

  test('reserves nothing on a stage of development, because a new account has 10 in all', () => {
    expect(concurrencyOf({}, 'dev').get('lettersServiceApi')).toBeUndefined();
  });
});
