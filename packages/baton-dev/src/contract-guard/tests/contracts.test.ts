import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { defineTask, type TaskContract } from 'baton-tasks';
import * as z from 'zod';
import { CONTRACT_FIELDS, describeContract, releasedContractSchema } from '../contract.ts';
import { readContracts } from '../../stack/contracts.ts';
import { readReleased, RELEASED, writeReleased } from '../contract-files.ts';
import { COMMAND, guard, type Verdict } from '../guard.ts';

const item = z.object({ productId: z.string(), quantity: z.int().optional() });
const released = defineTask({
  name: 'parcels.pack',
  queue: 'parcels',
  payload: z.object({ items: z.array(item) }),
  result: z.object({ boxes: z.int() }),
  retry: { maxAttempts: 3, baseSeconds: 1 },
  timeoutSeconds: 10,
  tracked: true,
});
const required = z.object({ items: z.array(z.object({ productId: z.string(), quantity: z.int() })) });

const LANED = { lanes: { high: 3, normal: 2, low: 1 }, defaultLane: 'normal' };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'contracts-'));
});
afterAll(() => rm(folder, { recursive: true }));

const refusedOf = (before: Partial<TaskContract>, ...now: Partial<TaskContract>[]): Verdict =>
  guard(
    new Map([[released.name, describeContract({ ...released, ...before })]]),
    now.map((each) => describeContract({ ...released, ...each })),
    'common/contracts/released',
  );

test(`the contracts of this repository match their released files; "${COMMAND}" writes them`, async () => {
  const contracts = (await readContracts()).map(describeContract);
  const { toWrite, refused } = guard(await readReleased(RELEASED), contracts, 'common/contracts/released');
  expect(refused).toEqual([]);
  expect(toWrite.map(({ name }) => `${name} is not what its file says: ${COMMAND}`)).toEqual([]);
  expect(contracts.map(({ name }) => name)).toContain('health.check');
});

test('the guard compares exactly the fields of the files', () => {
  const compared = Object.entries(CONTRACT_FIELDS).flatMap(([field, does]) =>
    does === 'compared' ? [field] : [],
  );
  expect(Object.keys(releasedContractSchema.shape).toSorted()).toEqual(compared.toSorted());
});

describe('a change that breaks messages in flight is refused, with the reason', () => {
  test.each<[string, Partial<TaskContract>, Partial<TaskContract>, string]>([
    [
      'a payload with a new required property',
      {},
      { payload: required },
      'parcels.pack payload.items[].quantity: was optional, is now required: messages in flight without it would be refused',
    ],
    [
      'a payload with a property that is now optional',
      { payload: required },
      { payload: released.payload },
      'parcels.pack payload.items[].quantity: was required, is now optional: services one version behind would refuse messages without it',
    ],
    [
      'a payload without one of its properties',
      {},
      { payload: z.object({ items: z.array(item.omit({ quantity: true })) }) },
      'parcels.pack payload.items[].quantity: is gone: messages in flight would lose their data in it',
    ],
    [
      'a result without one of its properties',
      {},
      { result: z.object({}) },
      'parcels.pack result.boxes: was required, is gone: senders one version behind would refuse results without it',
    ],
    [
      'a result with a new required property',
      {},
      { result: z.object({ boxes: z.int(), bags: z.int() }) },
      'parcels.pack result.bags: was not there, is now required: results in the task store without it would be refused',
    ],
    [
      'a new result schema',
      { result: z.void() },
      {},
      'parcels.pack result: was nothing, is now object: results in the task store with nothing would be refused',
    ],
    [
      'a change of a schema that the guard cannot judge',
      { payload: z.string().regex(/^a+$/) },
      { payload: z.string().regex(/^a*$/) },
      'parcels.pack payload: pattern was "^a+$", is now "^a*$": this may break messages in flight, and services one version behind',
    ],
    [
      "a pattern's flags, which JSON Schema leaves out",
      { payload: z.string().regex(/^a+$/i) },
      { payload: z.string().regex(/^a+$/) },
      'parcels.pack payload: x-flags was ["i"], is now gone: services one version behind would refuse messages that break what it was',
    ],
    [
      'the protocol of a URL, which JSON Schema leaves out',
      { payload: z.url() },
      { payload: z.url({ protocol: /^https$/ }) },
      'parcels.pack payload: had no x-protocol, is now "/^https$/": messages in flight that break it would be refused',
    ],
    [
      'another queue',
      {},
      { queue: 'packing' },
      'parcels.pack queue: was parcels, is now packing: messages in flight would stay in parcels, where no worker may know this task',
    ],
    [
      'a removed lane',
      LANED,
      { lanes: { high: 2, normal: 1 }, defaultLane: 'normal' },
      'parcels.pack lanes: parcels_low is gone: messages in flight in its queue would be lost',
    ],
    [
      'a lane with another name',
      LANED,
      { lanes: { urgent: 3, normal: 2, low: 1 }, defaultLane: 'normal' },
      'parcels.pack lanes: parcels_high is gone: messages in flight in its queue would be lost',
    ],
    [
      'all lanes removed',
      LANED,
      {},
      'parcels.pack lanes: parcels_high is gone: messages in flight in its queue would be lost',
    ],
    [
      'another default lane',
      LANED,
      { ...LANED, defaultLane: 'low' },
      'parcels.pack defaultLane: was normal, is now low: messages in flight in parcels were sent in the lane normal and would run in the lane low',
    ],
    [
      'no longer tracked',
      {},
      { tracked: false },
      'parcels.pack tracked: was true, is now false: tasks in flight would never end in the task store, and the next tasks of their chains would not run',
    ],
    [
      'now tracked',
      { tracked: false },
      { tracked: true },
      'parcels.pack tracked: was false, is now true: workers one version behind would run tasks without the task store',
    ],
    [
      'an older version',
      { version: 3 },
      { version: 2 },
      'parcels.pack version: was 3, is now 2: expected at least 3',
    ],
  ])('%s', (_what, before, now, reason) => {
    expect(refusedOf(before, now).refused[0]).toBe(reason);
  });

  test('with advice what to do', () => {
    expect(refusedOf({ version: 4 }, { version: 4, payload: required }).refused.slice(-2)).toEqual([
      'parcels.pack: undo the change, increment its version to 5 (docs/guide.md, "Change a contract"), or give the changed contract another name',
      'parcels.pack: if common/contracts/released/parcels.pack.json has a version that you have never deployed, restore it with git checkout, or delete it if it is new, and run this again',
    ]);
  });

  test('unless its version is incremented: then its breaks are listed, with advice what to do', () => {
    expect(refusedOf({}, { version: 2, payload: required })).toEqual({
      toWrite: [expect.objectContaining({ version: 2 })],
      refused: [],
      raised: [
        'parcels.pack payload.items[].quantity: was optional, is now required: messages in flight without it would be refused',
        'parcels.pack: version 2 is written all the same. Before you deploy it, change it until no such line is left, or wait until no old messages and results are left (docs/guide.md, "Change a contract")',
      ],
    });
  });

  test('unless its new version accepts the old form too, and no form drops a property of another', () => {
    const payload = z.object({ amount: z.int() });
    const current = payload.extend({ currency: z.string() });
    const union = z.union([current, payload.extend({ currency: z.never().optional() })]);
    expect(refusedOf({ payload }, { version: 2, payload: union }).raised).toEqual([]);
    expect(refusedOf({ payload }, { version: 2, payload: z.union([current, payload]) }).raised[0]).toBe(
      'parcels.pack payload.currency: is not in every form: messages with a wrong one would be accepted without it; expected z.never().optional() for it in the forms without it',
    );
  });

  test('with each reason once', () => {
    const payload = z.union([z.int(), z.string(), z.boolean()].map((b) => z.object({ b })));
    const { refused } = refusedOf({}, { payload });
    expect(refused).toEqual([...new Set(refused)]);
  });

  test('if a contract is removed or renamed', () => {
    const reason =
      'parcels.pack: the contract is gone: messages in flight would become dead letters; once there are none, delete common/contracts/released/parcels.pack.json';
    expect(refusedOf({}).refused).toEqual([reason]);
    expect(refusedOf({}, { name: 'parcels.wrap' })).toMatchObject({
      toWrite: [{ name: 'parcels.wrap' }],
      refused: [reason],
    });
  });
});

describe('a harmless change is accepted:', () => {
  test.each<[string, Partial<TaskContract>, Partial<TaskContract>, number]>([
    ['what has not changed', {}, {}, 0],
    [
      'of fields that do not affect messages',
      {},
      { timeoutSeconds: 20, retry: { maxAttempts: 1, baseSeconds: 1 }, isolation: 'thread' },
      0,
    ],
    ['a result that is nothing', { result: z.void() }, { result: z.undefined() }, 0],
    ['a higher version alone', {}, { version: 2 }, 1],
    ['the first lanes', {}, LANED, 1],
    ['a lane more', LANED, { ...LANED, lanes: { ...LANED.lanes, idle: 1 } }, 1],
    ['other weights of lanes', LANED, { ...LANED, lanes: { high: 100, normal: 1, low: 1 } }, 0],
    [
      'a new optional property',
      { payload: z.object({}) },
      { payload: z.object({ a: z.int().optional() }) },
      1,
    ],
    [
      'another result of a task that is not tracked',
      { tracked: false },
      { tracked: false, result: z.string() },
      1,
    ],
    [
      'a default for a required property, which senders fill in',
      { tracked: false, payload: z.object({ a: z.int() }) },
      { tracked: false, payload: z.object({ a: z.int().default(1) }) },
      1,
    ],
  ])('%s', (_what, before, now, toWrite) => {
    const verdict = refusedOf(before, now);
    expect(verdict).toMatchObject({ refused: [], raised: [] });
    expect(verdict.toWrite).toHaveLength(toWrite);
  });
});

test("a new default in a tracked task's payload is refused, because a chain does not fill defaults in", () => {
  const verdict = refusedOf(
    { payload: z.object({ a: z.int() }) },
    { payload: z.object({ a: z.int().default(1) }) },
  );
  expect(verdict.refused[0]).toContain(
    'payload.a: was required, is now optional: services one version behind',
  );
});

describe('a contract is refused with a schema', () => {
  test.each<[string, Partial<TaskContract>, string]>([
    [
      'that JSON cannot hold',
      { payload: z.object({ at: z.date() }) },
      'parcels.pack payload: Date cannot be',
    ],
    [
      'that transforms',
      { payload: z.string().transform(Number) },
      'parcels.pack payload: Transforms cannot be',
    ],
    [
      'whose output has another type than its input',
      { result: z.object({ yes: z.stringbool() }) },
      'parcels.pack result: a transform or codec returns another type than it accepts',
    ],
  ])('%s', (_what, change, says) => {
    expect(() => describeContract({ ...released, ...change })).toThrow(says);
  });
});

describe('files', () => {
  test('are read as they were written, one for each contract', async () => {
    const contract = describeContract(released);
    await writeReleased(folder, [contract]);
    await expect(readdir(folder)).resolves.toEqual(['parcels.pack.json']);
    await expect(readReleased(folder)).resolves.toEqual(new Map([['parcels.pack', contract]]));
  });

  test.each([
    ['is not JSON', 'parcels.pack.json', '{', 'parcels.pack.json is not JSON'],
    [
      'is no contract',
      'parcels.pack.json',
      '{"name":"parcels.pack"}',
      'parcels.pack.json is not a released contract',
    ],
    [
      'has the name of another',
      'parcels.wrap.json',
      JSON.stringify(describeContract(released)),
      'contains parcels.pack',
    ],
  ])('a file that %s is refused by its name', async (_what, file, text, says) => {
    const own = await mkdtemp(join(folder, 'own-'));
    await writeFile(join(own, file), text);
    await expect(readReleased(own)).rejects.toThrow(says);
  });

  test('two contracts with the same name are refused', async () => {
    const own = await mkdtemp(join(folder, 'own-'));
    const text = `export const one = ${JSON.stringify({ name: 'a.b', timeoutSeconds: 1, payload: {} })};`;
    await Promise.all(['one.ts', 'two.ts'].map((name) => writeFile(join(own, name), text)));
    await expect(readContracts(own)).rejects.toThrow('have the name a.b');
  });
});
