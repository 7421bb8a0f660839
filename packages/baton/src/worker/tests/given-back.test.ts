import { describe, expect, test } from '@jest/globals';
import { ageOfFirstMs, attemptOf, attemptsBefore, firstIdOf, receiveOf } from '../../sqs/copy-notes.ts';
import { deadLetterEntry } from '../../sqs/dead-letter.ts';
import { outcomeWithoutSlot } from '../slot.ts';
import type { Outcome } from '../../task/outcome.ts';
import type { ReceivedMessage } from '../../sqs/received-message.ts';
import { outcomeOfUnknown } from '../../run/unknown-task.ts';
import { receivedMessage, textAttributes } from '../../../tests/support/messages.ts';

function messageOf(receiveCount: number, notes: Record<string, string> = {}, body = '{}'): ReceivedMessage {
  return receivedMessage({ body, receiveCount, sentAtMs: 0, attributes: textAttributes(notes) });
}

/** The copy of a message at its first receive. */
function copyOf(outcome: Outcome): ReceivedMessage {
  if (outcome.kind !== 'release' || !outcome.asCopy)
    throw new Error('The message does not continue in a copy');
  return messageOf(1, outcome.notes);
}

describe('a message for which a worker has no slot', () => {
  test.each([1, 2, 7])('keeps its attempt, %i, however often it is given back', (receives) => {
    let message = messageOf(receives);
    for (let worker = 0; worker < 50; worker += 1) message = copyOf(outcomeWithoutSlot(message));
    expect([attemptOf(message), receiveOf(message), firstIdOf(message)]).toEqual([receives, receives, 'm-1']);
  });

  test('keeps the attempts before its series apart from its receives', () => {
    const message = messageOf(3, { 'baton.earlier-attempts': '2' });
    const copy = copyOf(outcomeWithoutSlot(message));
    expect([attemptOf(copy), attemptsBefore(copy), receiveOf(copy)]).toEqual([5, 2, 3]);
  });

  test('uses its own id if the note of the first id is not an id', () => {
    const noted = (id: string) => firstIdOf(messageOf(1, { 'baton.first-id': id }));
    expect(['m-0', '', 'a b', 'x'.repeat(101)].map(noted)).toEqual(['m-0', 'm-1', 'm-1', 'm-1']);
  });

  test('keeps its count of releases because of an unknown task, and its attempts', () => {
    const unknown = copyOf(
      outcomeOfUnknown({ task: 'tests.new' } as never, messageOf(3, { 'baton.unknown-times': '1' }), 600),
    );
    expect(attemptOf(unknown)).toBe(3);
    const given = copyOf(outcomeWithoutSlot(unknown));
    expect(given.attributes['baton.unknown-times']).toMatchObject({ StringValue: '2' });
    expect(attemptOf(given)).toBe(3);
  });

  test.each([
    ['has attributes of its sender', messageOf(1, { tenant: 'acme' })],
    ['has no space for a note', messageOf(1, {}, 'x'.repeat(1_048_000))],
  ])('becomes visible again without a copy if it %s', (_what, message) => {
    expect(outcomeWithoutSlot(message)).toEqual({ kind: 'release', error: expect.any(Error) });
  });

  test('uses the count in a note, unless it is not a count', () => {
    const noted = (text: string) => attemptOf(messageOf(2, { 'baton.earlier-attempts': text }));
    expect(['3', '0', '-1', 'many', '1e9', ''].map(noted)).toEqual([5, 2, 2, 2, 2, 2]);
  });

  test('is as old as the first message of its series, unless the note is not a time of Baton', () => {
    const now = () => Date.parse('2026-11-29T10:00:00.000Z');
    const sentAtMs = now() - 1000;
    const age = (note: string) =>
      ageOfFirstMs({ ...messageOf(1, { 'baton.first-sent-at': note }), sentAtMs }, now);
    const texts = ['2026-11-29T09:00:00.000Z', '1', '2001', '29 Nov 2020', '2020-11-29', '', 'long ago'];
    expect(texts.map(age)).toEqual([3_600_000, 1000, 1000, 1000, 1000, 1000, 1000]);
  });

  test('becomes a dead letter with its count of attempts, but without notes', () => {
    const message = messageOf(1, { 'baton.earlier-attempts': '4', 'baton.unknown-times': '2' });
    const { MessageAttributes } = deadLetterEntry(message, {
      queue: 'work',
      reason: 'rejected',
      error: new Error('no'),
      workerId: 'w-1',
    });
    expect(JSON.parse(MessageAttributes['baton.details']?.StringValue ?? '')).toMatchObject({ attempts: 5 });
    expect(Object.keys(MessageAttributes)).toEqual(['baton.reason', 'baton.details']);
  });
});
