import { expect, test } from '@jest/globals';
import { childOf, formatTraceparent, parseTraceparent, startTrace } from '../trace-context.ts';

test('a trace context is the same after it was written to a header and read again', () => {
  const trace = startTrace();
  expect(parseTraceparent(formatTraceparent(trace))).toEqual(trace);
});

test('a child has the same trace and a new span', () => {
  const parent = startTrace();
  const child = childOf(parent);
  expect(child.traceId).toBe(parent.traceId);
  expect(child.spanId).not.toBe(parent.spanId);
});

test('a header of a later version is read, without its unknown members and flags', () => {
  const ids = `${'1'.repeat(32)}-${'2'.repeat(16)}`;
  expect(parseTraceparent(`01-${ids}-ff-more`)).toEqual({
    traceId: '1'.repeat(32),
    spanId: '2'.repeat(16),
    flags: '01',
  });
  expect(parseTraceparent(`00-${ids}-02`)?.flags).toBe('00');
});

test.each([
  undefined,
  `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01-more`,
  '',
  'rubbish',
  `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`,
  `00-${'1'.repeat(32)}-${'0'.repeat(16)}-01`,
  `ff-${'1'.repeat(32)}-${'1'.repeat(16)}-01`,
  `00-${'A'.repeat(32)}-${'1'.repeat(16)}-01`,
])('the header %j is ignored, because it is invalid or missing', (header) => {
  expect(parseTraceparent(header)).toBeUndefined();
});
