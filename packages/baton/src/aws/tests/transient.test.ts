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
])(
  'a call that failed with %s %s may succeed later, also if it is one of several addresses that failed',
  (syscall, code) => {
    const error = failedCall(syscall, code);
    expect(isTransient(error)).toBe(true);
    expect(isTransient(new AggregateError([error]))).toBe(true);
  },
);

test.each([
  ['a file that does not exist', failedCall('open', 'ENOENT')],
  ['an error of the program', new TypeError('undefined is not a function')],
  ['a refusal', Object.assign(new Error('no'), { name: 'AccessDeniedException', $fault: 'client' })],
  ['a value that is not an error', 'connect EMFILE'],
  ['a list of refusals', new AggregateError([new Error('no')])],
])('%s is not a reason to retry', (_what, error) => {
  expect(isTransient(error)).toBe(false);
});
