import { describe, expect, test } from '@jest/globals';
import type { Bench, Measure, Mode } from '../bench.ts';
import { MissingError } from '../brokers/broker.ts';
import { Brokers } from '../brokers/brokers.ts';
import { CannotError, type Contender } from '../contender.ts';
import { takingPart } from '../pairs.ts';
import { Rounds, type RoundsOptions } from '../rounds.ts';

const contenders = ['a', 'b', 'c'].map((name): Contender => ({
  name,
  version: '1',
  command: ['none'],
  queues: 'sqs',
  drainConcurrency: 1,
  sends: 'tens',
}));

/** Rounds with sample contenders, and the failures that they report. */
function rounds(others: Partial<RoundsOptions> = {}): { rounds: Rounds; failures: string[] } {
  const failures: string[] = [];
  const options: RoundsOptions = {
    mode: 'full',
    contenders,
    named: false,
    brokers: new Brokers(),
    folder: '/nowhere',
    signal: new AbortController().signal,
    progress: { round: () => undefined, say: () => undefined, failed: (text) => failures.push(text) },
    ...others,
  };
  return { rounds: new Rounds(options), failures };
}

function measure(run: Measure['run'], full = 1): Measure {
  return { id: 'some', title: 'Some', rounds: { full, quick: 1 }, run };
}

const figure = (contender: string, value = 1) =>
  ({ contender, figure: 'throughput', unit: 'tasks/s', value }) as const;

/** Makes a measure that runs this part for each contender. */
const each =
  (part: (contender: Contender, bench: Bench) => void): Measure['run'] =>
  async (bench) => {
    for (const contender of bench.contenders)
      await bench.attempt({ contender: contender.name, broker: 'fauxqs' }, async () =>
        part(contender, bench),
      );
  };

describe('rounds', () => {
  test('start with another contender each time', async () => {
    const run = each(({ name }, bench) => bench.record(figure(name)));
    const { samples, failed } = await rounds().rounds.run(measure(run, 4));
    const orders = [1, 2, 3, 4].map((round) =>
      samples.flatMap((sample) => (sample.round === round ? [sample.contender] : [])).join(''),
    );
    expect(orders).toEqual(['abc', 'bca', 'cab', 'abc']);
    expect(samples[0]).toEqual({ ...figure('a'), measure: 'some', round: 1 });
    expect(failed.size).toBe(0);
  });

  test('continue without a contender that failed, and report why', async () => {
    const run = each(({ name }, bench) => {
      if (name === 'b') throw new Error('it hangs');
      bench.record(figure(name));
    });
    const { rounds: all, failures } = rounds();
    const { samples, failed, absent } = await all.run(measure(run, 2));
    expect(failures).toEqual(['some: b on fauxqs: it hangs']);
    expect(samples.map(({ contender, round }) => `${contender}${round}`)).toEqual(['a1', 'c1', 'c2', 'a2']);
    expect([...failed]).toEqual(['some']);
    expect(absent).toEqual([]);
  });

  test('record a contender that cannot take part as absent with its reason, not as a failure', async () => {
    const run = each(({ name }, bench) => {
      if (name === 'a') throw new CannotError('no batch API');
      if (name === 'b') throw new MissingError('no java on this machine');
      bench.record(figure(name));
    });
    const { rounds: all, failures } = rounds();
    const { failed, absent } = await all.run(measure(run, 2));
    expect(absent).toEqual([
      { contender: 'a', broker: 'fauxqs', reason: 'no batch API' },
      { contender: 'b', broker: 'fauxqs', reason: 'no java on this machine' },
    ]);
    expect([failures, failed.size]).toEqual([[], 0]);
  });

  test.each([0, -1, Number.NaN, Infinity])('reject the figure %p', async (value) => {
    const { rounds: all, failures } = rounds();
    const { samples } = await all.run(measure(async (bench) => bench.record(figure('a', value))));
    expect(samples).toEqual([]);
    expect(failures[0]).toBe(`some: throughput of a is ${value}; expected more than 0`);
  });

  test('fail a measure without figures, except if the user named contenders', async () => {
    const nothing = measure(async () => undefined);
    expect([...(await rounds().rounds.run(nothing)).failed]).toEqual(['some']);
    expect([...(await rounds({ named: true }).rounds.run(nothing)).failed]).toEqual([]);
  });

  test('continue with the next measure if one fails', async () => {
    const broken = measure(async () => {
      throw new Error('no broker');
    });
    const whole: Measure = { ...measure(async (bench) => bench.record(figure('a'))), id: 'other' };
    const { rounds: all } = rounds();
    await all.run(broken);
    const { samples, failed } = await all.run(whole);
    expect(samples.map((sample) => sample.measure)).toEqual(['other']);
    expect([...failed]).toEqual(['some']);
  });

  test('run a contender only in the measures that it takes part in', async () => {
    const run = each(({ name }, bench) => bench.record(figure(name)));
    const some = contenders.map((contender) => ({
      ...contender,
      measures: contender.name === 'b' ? ['other'] : ['some'],
    }));
    const { samples } = await rounds({ contenders: some }).rounds.run(measure(run));
    expect(samples.map(({ contender }) => contender)).toEqual(['a', 'c']);
  });

  test('end without a failure if the bench is interrupted', async () => {
    const controller = new AbortController();
    const { rounds: all, failures } = rounds({ signal: controller.signal });
    const run = each(() => {
      controller.abort(new Error('The bench was interrupted'));
      throw new Error('so it fails');
    });
    await expect(all.run(measure(run, 3))).rejects.toThrow('The bench was interrupted');
    expect(failures).toEqual([]);
  });
});

test('a measure selects its contenders by mode, and takes all that the user named', () => {
  const names = (mode: Mode, named: boolean, full?: string[]): string =>
    takingPart({ contenders, mode, named }, { quick: ['a'], ...(full && { full }) })
      .map(({ name }) => name)
      .join('');
  expect(names('full', false)).toBe('abc');
  expect(names('full', false, ['a', 'b'])).toBe('ab');
  expect(names('quick', false)).toBe('a');
  expect(names('quick', true)).toBe('abc');
  expect(names('quick', true, ['a', 'b'])).toBe('ab');
});
