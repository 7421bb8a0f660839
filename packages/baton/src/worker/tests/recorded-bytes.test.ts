import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DEAD_LETTER_REASONS } from '../../task/dead-letter-reason.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { comparable, play, type RecordedStep, scenes } from './recorded/recording.ts';

// Recorded by record.ts at commit 3f602b6, which is 0.1.0 before the library had its folders. Scenes of later features are
// recorded by the version that brought them
const VERSION = new URL('recorded/0.1.0/', import.meta.url);

function recorded(name: string): RecordedStep[] {
  return JSON.parse(readFileSync(new URL(`${name}.json`, VERSION), 'utf8')) as RecordedStep[];
}

describe('the messages and rows of the version before', () => {
  let backends: Backends;
  beforeAll(async () => {
    backends = await startBackends([]);
  });
  afterAll(() => backends.stop());

  // Each step gets the messages and rows of that version, and must do and write the same
  test.each(scenes)('are read and written in the same way in the scene $name', async (scene) => {
    const before = recorded(scene.name);
    expect(comparable(await play(scene, backends, before))).toEqual(comparable(before));
  });
});

describe('the recording', () => {
  const files = readdirSync(VERSION).map((file) => file.replace('.json', ''));
  const steps = files.flatMap(recorded);
  const sent = steps.flatMap(({ calls }) => calls.flatMap((call) => ('send' in call ? [call.send] : [])));
  const attributes = sent.map(({ MessageAttributes = {} }) => MessageAttributes);
  const rows = steps.flatMap((step) => step.rows) as Record<string, { readonly S?: string }>[];

  test('has all scenes', () => {
    expect(files.toSorted()).toEqual(scenes.map(({ name }) => name).toSorted());
  });

  test('has all attributes that Baton gives to messages', () => {
    const names = new Set(attributes.flatMap((each) => Object.keys(each)));
    expect([...names].filter((name) => name.startsWith('baton.')).toSorted()).toEqual([
      'baton.dead-at',
      'baton.details',
      'baton.earlier-attempts',
      'baton.earlier-receives',
      'baton.first-id',
      'baton.first-sent-at',
      'baton.not-before',
      'baton.reason',
      'baton.sent-at',
      'baton.unconcluded',
      'baton.unknown-times',
    ]);
  });

  test('has dead letters with all reasons', () => {
    const reasons = new Set(attributes.map((each) => each['baton.reason']?.StringValue));
    // A reason that was ever sent keeps its name
    expect(Object.keys(DEAD_LETTER_REASONS)).toEqual(expect.arrayContaining([...reasons].filter(Boolean)));
    const missing = Object.keys(DEAD_LETTER_REASONS).filter((reason) => !reasons.has(reason));
    const advice =
      'add a scene that ends in it to recorded/*-scenes.ts, then run recorded/record.ts recorded/0.1.0 SCENE';
    expect(missing.map((reason) => `No dead letter ${reason} is recorded: ${advice}`)).toEqual([]);
  });

  test('has rows of all states, groups, schedules and the log of receives', () => {
    const states = new Set(rows.flatMap(({ state }) => state?.S ?? []));
    expect([...states].toSorted()).toEqual([
      'cancelled',
      'dead',
      'failed',
      'queued',
      'retrying',
      'running',
      'succeeded',
    ]);
    for (const member of ['memberIds', 'lastTick', 'crashes', 'begunEffects', 'putBackFromMs', 'doubtedAtMs'])
      expect(rows.some((row) => member in row)).toBe(true);
  });
});
