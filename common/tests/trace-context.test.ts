import { expect, test } from '@jest/globals';
import {
  childOf,
  formatTraceparent,
  parseTraceparent,
  startTrace,
} from '@baton/common/telemetry/trace-context';

test('a trace context survives its header', () => {
  const trace = startTrace();
  expect(parseTraceparent(formatTraceparent(trace))).toEqual(trace);
});

test('a child is of the same trace, in a span of its own', () => {
  const parent = startTrace();
  const child = childOf(parent);
  expect(child.traceId).toBe(parent.traceId);
  expect(child.spanId).not.toBe(parent.spanId);
});

test.each([
  undefined,
  '',
  'rubbish',
  `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`,
  `00-${'1'.repeat(32)}-${'0'.repeat(16)}-01`,
  `ff-${'1'.repeat(32)}-${'1'.repeat(16)}-01`,
  `00-${'A'.repeat(32)}-${'1'.repeat(16)}-01`,
])('the header %j is as none', (header) => {
  expect(parseTraceparent(header)).toBeUndefined();
});
