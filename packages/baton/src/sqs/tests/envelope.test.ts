import { describe, expect, test } from '@jest/globals';
import { decodeEnvelope, encodeEnvelope } from '../envelope.ts';
import { MalformedEnvelopeError } from '../../task/errors.ts';
import { startTrace } from '../../telemetry/trace-context.ts';

const envelope = {
  taskId: '0190c8b2-0000-7000-8000-000000000000',
  task: 'tests.process',
  source: 'notes-service',
  time: '2026-11-22T10:00:00.000Z',
  trace: startTrace(),
  data: { text: 'é 🦉 \u0000 "quoted"' },
};

test('an encoded envelope is the same after it is decoded', () => {
  expect(decodeEnvelope(encodeEnvelope(envelope))).toEqual(envelope);
});

test('SQS accepts the body of an envelope with any text', () => {
  const body = encodeEnvelope({ ...envelope, data: '\u0000 \u0008 \uFFFE \uFFFF \uD83E 🦉' });
  expect(body).toMatch(/^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD]*$/);
  expect(decodeEnvelope(body).data).toBe('\u0000 \u0008 \uFFFE \uFFFF \uD83E 🦉');
});

test('an envelope has CloudEvents 1.0 attributes and a W3C traceparent', () => {
  expect(JSON.parse(encodeEnvelope(envelope))).toEqual({
    specversion: '1.0',
    id: envelope.taskId,
    source: 'notes-service',
    type: 'tests.process',
    time: envelope.time,
    datacontenttype: 'application/json',
    traceparent: `00-${envelope.trace.traceId}-${envelope.trace.spanId}-01`,
    data: envelope.data,
  });
});

test('an envelope has the version of its contract, except for version 1', () => {
  const body = encodeEnvelope({ ...envelope, version: 2 });
  expect(JSON.parse(body)).toMatchObject({ contractversion: 2 });
  expect(decodeEnvelope(body)).toEqual({ ...envelope, version: 2 });
  expect(encodeEnvelope({ ...envelope, version: 1 })).toBe(encodeEnvelope(envelope));
});

describe('decoding', () => {
  const valid = JSON.parse(encodeEnvelope(envelope)) as Record<string, unknown>;
  const { id: _id, ...withoutId } = valid;

  test.each([
    ['an empty body', '', 'not JSON'],
    ['half a JSON', '{"specversion":', 'not JSON'],
    ['JSON that is not an object', '[1]', 'not a CloudEvents 1.0 envelope'],
    ['another version of CloudEvents', JSON.stringify({ ...valid, specversion: '0.3' }), 'specversion'],
    ['no id', JSON.stringify(withoutId), 'id'],
    ['a source that is not a service name', JSON.stringify({ ...valid, source: 'Order Service' }), 'source'],
    ['half a version', JSON.stringify({ ...valid, contractversion: 1.5 }), 'contractversion'],
    ['a time that is not a date', JSON.stringify({ ...valid, time: 'yesterday' }), 'time'],
  ])('refuses %s, and says what is wrong', (_what, body, says) => {
    expect(() => decodeEnvelope(body)).toThrow(
      expect.objectContaining({
        name: 'MalformedEnvelopeError',
        message: expect.stringContaining(says) as unknown as string,
      }),
    );
  });

  test('accepts attributes of a later version, and ignores an invalid traceparent or subject', () => {
    for (const subject of ['', 's'.repeat(129), 1]) {
      const body = JSON.stringify({ ...valid, traceparent: '00-zz', subject, somethingnew: 1 });
      expect(decodeEnvelope(body)).toEqual({ ...envelope, trace: undefined });
    }
  });

  test('reads no payload that is too large or has too many levels, but says whose it is', () => {
    const large = encodeEnvelope({ ...envelope, data: 'x'.repeat(20_000) });
    const { data: _data, ...head } = envelope;
    expect(decodeEnvelope(large, 10_000)).toEqual({
      ...head,
      data: undefined,
      unread: expect.objectContaining({ name: 'MessageTooLargeError' }) as unknown,
    });
    expect(decodeEnvelope(large, 20_002)).toEqual({ ...envelope, data: 'x'.repeat(20_000) });
    const deep = encodeEnvelope({ ...envelope, data: 0 }).replace('"data":0', `"data":${'['.repeat(1e5)}`);
    expect(decodeEnvelope(deep)).toMatchObject({ taskId: envelope.taskId, data: undefined, unread: {} });
    const many = (values: number) => encodeEnvelope({ ...envelope, data: Array<number>(values).fill(0) });
    const unread = { message: expect.stringContaining('at most 6250 values, one for 16 bytes') as unknown };
    expect(decodeEnvelope(many(6300), 100_000)).toMatchObject({ data: undefined, unread });
    expect(decodeEnvelope(many(6200), 100_000)).not.toHaveProperty('unread');
    expect(decodeEnvelope(many(4000), 10_000)).not.toHaveProperty('unread');
    expect(decodeEnvelope(many(4200), 10_000)).toHaveProperty('unread');
  });

  test.each([
    ['no envelope', `[${'1,'.repeat(5000)}1]`],
    ['an envelope with its payload first', `{"data":"${'x'.repeat(10_000)}","specversion":"1.0"}`],
    ['a head that is no JSON', `{"specversion":"1.0","id":[,"data":"${'x'.repeat(10_000)}"}`],
    ['a head that is no envelope', `{"specversion":"1.0","id":7,"data":"${'x'.repeat(10_000)}"}`],
  ])('refuses a body that is too large and %s', (_, body) => {
    expect(() => decodeEnvelope(body, 1000)).toThrow(
      `expected a payload of at most 1000 bytes, got a body of ${body.length}`,
    );
  });

  test('names a body that is not JSON by its length and hash, and quotes nothing of it', () => {
    const body = '{"card":"4111 1111 1111 1111';
    const message = `The body is not JSON: ${body.length} bytes with the SHA-256 cb9e20d104516937...`;
    expect(() => decodeEnvelope(body)).toThrow(new MalformedEnvelopeError(message));
  });

  test.each([
    ['the name of a task', { type: 'a task\nwith a line' }],
    ['the name of a task', { type: 'x'.repeat(129) }],
    ['a time with a million digits', { time: `2026-11-22T10:00:00.${'0'.repeat(1e6)}Z` }],
    ['an earliest time with a million digits', { notbefore: `2026-11-22T10:00:00.${'0'.repeat(1e6)}Z` }],
    ['a version', { contractversion: 1e15 }],
    ['a depth', { depth: 1001 }],
    ['an id', { id: 'x'.repeat(129) }],
    ['a parent', { parentid: 'a b' }],
  ])('refuses %s that no sender of Baton writes: %j', (_what, attributes) => {
    const body = JSON.stringify({ ...valid, ...attributes });
    expect(() => decodeEnvelope(body, 2_000_000)).toThrow(/not a CloudEvents 1.0 envelope/);
  });

  test('ignores links and lists that no sender of Baton writes', () => {
    const foreign = { traceparent: 'x'.repeat(5000), flowend: 'a b', undefineditems: '0,'.repeat(200) };
    const decoded = decodeEnvelope(JSON.stringify({ ...valid, ...foreign }));
    expect(decoded).toEqual({ ...envelope, trace: undefined, flowEnd: undefined });
  });
});
