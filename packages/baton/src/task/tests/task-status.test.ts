import { describe, expect, test } from '@jest/globals';
import { messageForCallers } from '../task-status.ts';

const GENERAL = 'The order could not be processed';

describe('the message of a failure for callers', () => {
  test.each(['RejectTask', 'RetryTask', 'PostponeTask'])('is what the handler gave to %s', (name) => {
    expect(messageForCallers({ name, message: 'Out of stock' }, GENERAL)).toBe('Out of stock');
  });

  test.each([
    ['an error of a library', { name: 'Error', message: 'connect ECONNREFUSED 10.0.3.7:5432' }],
    ['an error of Node', { name: 'TypeError', message: "Cannot read 'secret' of undefined" }],
    [
      'an error of Baton',
      { name: 'InvalidValueError', message: 'The result breaks its contract: card: ...' },
    ],
    ['an empty message', { name: 'RejectTask', message: '' }],
    ['nothing but spaces', { name: 'RejectTask', message: ' \n\t ' }],
    ['no failure', undefined],
  ])('is a general sentence for %s', (_, failure) => {
    expect(messageForCallers(failure, GENERAL)).toBe(GENERAL);
  });

  test('is one line without control characters, of at most 500 whole characters', () => {
    const reject = (message: string) => messageForCallers({ name: 'RejectTask', message }, GENERAL);
    expect(reject('No\r\nstock\u0000\u001b[31m \u202e today')).toBe('No stock [31m today');
    expect(reject('x'.repeat(100_000))).toBe('x'.repeat(500));
    expect(reject(`${'x'.repeat(499)}\u{1F989}`).isWellFormed()).toBe(true);
    expect(reject(' '.repeat(1_000_000))).toBe(GENERAL);
  });
});
