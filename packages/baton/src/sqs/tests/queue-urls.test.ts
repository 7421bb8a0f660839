import { expect, test } from '@jest/globals';
import { QueueUrls } from '../queue-urls.ts';

const urls = new QueueUrls('https://sqs.eu-central-1.amazonaws.com/123456789012/baton-dev-');

test('the URL of a queue or lane is the prefix and its name', () => {
  expect(urls.of('payments').split('/').at(-1)).toBe('baton-dev-payments');
  expect(urls.of('payments_very-high').split('/').at(-1)).toBe('baton-dev-payments_very-high');
  expect(urls.deadLettersOf('payments_high').split('/').at(-1)).toBe('baton-dev-payments-dlq');
});

test.each([
  ['_/../baton-dev-target'],
  ['payments_/../baton-dev-target'],
  ['payments/../target'],
  ['payments?Action=DeleteQueue'],
  ['payments_high_low'],
  ['Payments'],
  ['payments\n'],
  ['payments_'],
  [''],
])('%j is the name of no queue', (name) => {
  expect(() => urls.of(name)).toThrow('expected lower-case letters, digits and hyphens');
});
