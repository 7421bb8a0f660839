import { expect, test } from '@jest/globals';
import { WatchdogMemory } from '../watchdog-memory.ts';

const attempt = { queue: 'default', task: 'tests.task', taskId: 't-ü', messageId: 'm-1', attempt: 2 };

test('a thread reads in shared memory what the event loop wrote there', () => {
  const written = new WatchdogMemory();
  const read = new WatchdogMemory(written.buffer);
  expect([read.beats, read.lastBegun, read.running, read.stopWithinMs]).toEqual([0, null, [], 0]);
  written.beat(true, [{ task: 'tests.task', ageMs: 5 }]);
  written.begins(attempt);
  written.stopWithinMs = 50;
  const { queue: _queue, ...named } = attempt;
  expect([read.beats, read.debugged, read.stopWithinMs]).toEqual([1, true, 50]);
  expect(read.lastBegun).toEqual(named);
  expect(read.running).toEqual([{ task: 'tests.task', ageMs: 5 }]);
});

test('texts that are too long for shared memory are left out or cut', () => {
  const memory = new WatchdogMemory();
  memory.beat(false, [{ task: 'x'.repeat(100_000) }]);
  memory.begins({ ...attempt, task: 'y'.repeat(5000) });
  expect(memory.running).toEqual([]);
  expect(memory.lastBegun).toMatchObject({ task: 'y'.repeat(1024) });
});
