import { expect, test } from '@jest/globals';
import { Line } from '../line.ts';

const { signal } = new AbortController();

test('a line lets as many in as there is room for, first come, first served', async () => {
  const line = new Line(1, 2);
  await line.take(signal);
  const entered: string[] = [];
  const waiting = ['a', 'b'].map((name) => line.take(signal).then(() => entered.push(name)));
  line.giveBack();
  await waiting[0];
  expect(entered).toEqual(['a']);
  line.giveBack();
  await waiting[1];
  expect(entered).toEqual(['a', 'b']);
});

test('a line that is full refuses at once', async () => {
  const line = new Line(1, 1);
  await line.take(signal);
  const waiting = line.take(signal);
  await expect(line.take(signal)).rejects.toMatchObject({ name: 'LineFullError' });
  line.giveBack();
  await expect(waiting).resolves.toBeUndefined();
});

test('whoever leaves a line takes no room', async () => {
  const line = new Line(1, 1);
  await line.take(signal);
  const leaving = new AbortController();
  const left = line.take(leaving.signal);
  leaving.abort(new Error('no more time'));
  await expect(left).rejects.toThrow('no more time');
  await expect(line.take(leaving.signal)).rejects.toThrow('no more time');
  line.giveBack();
  await expect(line.take(signal)).resolves.toBeUndefined();
});
