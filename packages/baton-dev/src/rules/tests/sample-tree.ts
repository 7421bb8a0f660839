import { defineTask, type TaskContract } from 'baton-tasks';
import * as z from 'zod';
import * as samples from '../../new-service/template/contracts/samples.ts';
import { withComposeEntry, withContracts, withPort } from '../../new-service/listed.ts';
import { newFiles } from '../../new-service/template.ts';
import { Repository } from '../../sources/repository.ts';
import { Tree, type TreeOptions } from '../tree.ts';
import { sampleTexts } from './sample-texts.ts';

const NAME = { plural: 'samples', singular: 'sample' };
const PORT = 8123;
const ALL = 'common/contracts/all.ts';
const COMPOSE = 'docker-compose.localstack.yml';
/** Entries that imports lead to; what is in them is no matter here. */
const ENTRY = /^packages\/(?:baton\/src\/(?:\w+\/)?index|baton-dev\/src\/testing\/[a-z-]+)\.ts$/;

/** A task of the worker. */
export const weighParcel = defineTask({
  name: 'parcels.weigh',
  queue: 'default',
  payload: z.object({ parcelId: z.string() }),
  result: z.object({ grams: z.int() }),
  retry: { maxAttempts: 4, baseSeconds: 5 },
  timeoutSeconds: 20,
});

const exported = [
  ...Object.entries(samples).flatMap(([name, contract]) =>
    'queue' in contract ? [{ file: 'samples.ts', name, contract }] : [],
  ),
  { file: 'parcels.ts', name: 'weighParcel', contract: weighParcel as TaskContract },
];

const texts = await textsWithService();

/** The sample with a service as the scaffold makes it. */
async function textsWithService(): Promise<ReadonlyMap<string, string>> {
  const { files, root } = new Repository();
  const made = await newFiles(root, NAME, PORT);
  const contracts = made.find(({ path }) => path === 'common/contracts/samples.ts')?.text ?? '';
  return new Map([
    ...Object.entries(sampleTexts),
    ...files.filter((path) => ENTRY.test(path)).map((path): [string, string] => [path, '']),
    [COMPOSE, withComposeEntry(sampleTexts[COMPOSE] ?? '', NAME, PORT)],
    ['.env.example', withPort(sampleTexts['.env.example'] ?? '', NAME, PORT)],
    [ALL, withContracts(sampleTexts[ALL] ?? '', 'samples.ts', contracts)],
    ...made.map(({ path, text }): [string, string] => [path, text]),
  ]);
}

/** Files of a tree that are other than in the sample: a new text, or what stands in the place of a part of it. */
export type Changes = Readonly<Record<string, string | readonly [part: string, other: string]>>;

/** The sample with some changes. @throws Error naming a file that has no such part */
export function sampleTree(changes: Changes = {}, options: Partial<TreeOptions> = {}): Tree {
  const changed = Object.entries(changes).map(([path, change]): [string, string] => {
    if (typeof change === 'string') return [path, change];
    const before = texts.get(path) ?? '';
    if (!before.includes(change[0])) throw new Error(`${path} has no ${change[0]}`);
    return [path, before.replaceAll(...change)];
  });
  const repository = new Repository('', new Map([...texts, ...changed]));
  return new Tree({
    repository,
    exported,
    implemented: [weighParcel],
    scheduled: [],
    listed: exported.map(({ contract }) => contract),
    ...options,
  });
}

/** The sample's contracts, with one more. */
export function withContract(file: string, name: string, contract: TaskContract): Partial<TreeOptions> {
  return { exported: [...exported, { file, name, contract }] };
}
