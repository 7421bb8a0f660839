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

/** The message that continues another, as it is received for the first time. */
function copyOf(outcome: Outcome): ReceivedMessage {
  if (outcome.kind !== 'release' || !outcome.asCopy) throw new Error('The message does not go on in a copy');
  return messageOf(1, outcome.notes);
}

describe('a message that a worker had no slot for', () => {
  test.each([1, 2, 7])('is at the attempt that it was at, %i, however often that happens', (receives) => {
    let message = messageOf(receives);
    for (let worker = 0; worker < 50; worker += 1) message = copyOf(outcomeWithoutSlot(message));
    expect([attemptOf(message), receiveOf(message), firstIdOf(message)]).toEqual([receives, receives, 'm-1']);
  });

  test('keeps the attempts that were used up before its chain of copies began apart from its receives', () => {
    const message = messageOf(3, { 'baton.earlier-attempts': '2' });
    const copy = copyOf(outcomeWithoutSlot(message));
    expect([attemptOf(copy), attemptsBefore(copy), receiveOf(copy)]).toEqual([5, 2, 3]);
  });

  test('has its own id if a note of the first one is no id', () => {
    const noted = (id: string) => firstIdOf(messageOf(1, { 'baton.first-id': id }));
    expect(['m-0', '', 'a b', 'x'.repeat(101)].map(noted)).toEqual(['m-0', 'm-1', 'm-1', 'm-1']);
  });

  test('keeps how often it was unknown, and a message that was unknown keeps its attempts', () => {
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
    ['leaves no room for a note', messageOf(1, {}, 'x'.repeat(1_048_000))],
  ])('is shown again itself if it %s: a copy would lose them', (_what, message) => {
    expect(outcomeWithoutSlot(message)).toEqual({ kind: 'release', error: expect.any(Error) });
  });

  test('counts what was noted, unless that is no count', () => {
    const noted = (text: string) => attemptOf(messageOf(2, { 'baton.earlier-attempts': text }));
    expect(['3', '0', '-1', 'many', '1e9', ''].map(noted)).toEqual([5, 2, 2, 2, 2, 2]);
  });

  test('is as old as the first one, unless the note of its time is none that Baton writes', () => {
    const now = () => Date.parse('2026-11-29T10:00:00.000Z');
    const sentAtMs = now() - 1000;
    const age = (note: string) =>
      ageOfFirstMs({ ...messageOf(1, { 'baton.first-sent-at': note }), sentAtMs }, now);
    const texts = ['2026-11-29T09:00:00.000Z', '1', '2001', '29 Nov 2020', '2020-11-29', '', 'long ago'];
    expect(texts.map(age)).toEqual([3_600_000, 1000, 1000, 1000, 1000, 1000, 1000]);
  });

  test('is a dead letter with its own number of attempts, and begins anew when that is put back', () => {
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
