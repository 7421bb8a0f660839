import { expect, test } from '@jest/globals';
import { isTransient } from '../answers.ts';

const failedCall = (syscall: string, code: string): Error =>
  Object.assign(new Error(`${syscall} ${code}`), { syscall, code });

test.each([
  ['connect', 'EMFILE'],
  ['connect', 'ENFILE'],
  ['connect', 'EADDRNOTAVAIL'],
  ['connect', 'ENETDOWN'],
  ['connect', 'ECONNREFUSED'],
  ['getaddrinfo', 'EAI_AGAIN'],
  ['getaddrinfo', 'ENOTFOUND'],
  ['getaddrinfo', 'EMFILE'],
  ['read', 'ECONNRESET'],
  ['write', 'ENOBUFS'],
])('a call that failed by %s %s may succeed later, also as one of several addresses', (syscall, code) => {
  const error = failedCall(syscall, code);
  expect(isTransient(error)).toBe(true);
  expect(isTransient(new AggregateError([error]))).toBe(true);
});

test.each([
  ['a file that is not there', failedCall('open', 'ENOENT')],
  ['an error of the program', new TypeError('undefined is not a function')],
  ['a refusal', Object.assign(new Error('no'), { name: 'AccessDeniedException', $fault: 'client' })],
  ['what is no error', 'connect EMFILE'],
  ['several that are refusals', new AggregateError([new Error('no')])],
])('%s is no reason to try again', (_what, error) => {
  expect(isTransient(error)).toBe(false);
});
