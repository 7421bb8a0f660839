import { defineTask, type TaskContract } from 'baton-tasks';
import * as z from 'zod';
import * as samples from '../../new-service/template/contracts/samples.ts';
import { withoutComposeEntries } from '../../demo/lists.ts';
import { withComposeEntry, withPort } from '../../new-service/listed.ts';
import { newFiles } from '../../new-service/template.ts';
import { Repository } from '../../sources/repository.ts';
import { Tree, type TreeOptions } from '../tree.ts';

const NAME = { plural: 'samples', singular: 'sample' };
const PORT = 8123;
/** A service without queue and table, which stands beside the new one. */
const NEIGHBOUR = 'functions/task-service/';
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

const OWN: Readonly<Record<string, string>> = {
  'common/package.json': `{
  "name": "@baton/common",
  "type": "module",
  "exports": { "./contracts/*": "./contracts/*.ts", "./tasks/*": "./tasks/*.ts" },
  "dependencies": { "baton-tasks": "*", "zod": "*" }
}
`,
  'common/contracts/parcels.ts': `import { defineTask } from 'baton-tasks';

export const weighParcel = defineTask({
  name: 'parcels.weigh',
});
`,
  'common/contracts/scheduled.ts': 'export const scheduledContracts = [];\n',
  'common/tasks/weigh-parcel.ts': `import { implement } from 'baton-tasks';
import { weighParcel } from '../contracts/parcels.ts';

export const weighParcelTask = implement(weighParcel, async () => ({ grams: 1 }));
`,
  'common/tasks/all.ts': `import { weighParcelTask } from './weigh-parcel.ts';

export const allTasks = [weighParcelTask];
`,
};

const exported = [
  ...Object.entries(samples).flatMap(([name, contract]) =>
    'queue' in contract ? [{ file: 'samples.ts', name, contract }] : [],
  ),
  { file: 'parcels.ts', name: 'weighParcel', contract: weighParcel as TaskContract },
];

const texts = await sampleTexts();

/** A small repository: a service as the scaffold makes it, task-service, the worker, and one task that it runs. */
async function sampleTexts(): Promise<ReadonlyMap<string, string>> {
  const disk = new Repository();
  const services = new Set(disk.files.flatMap((path) => /^functions\/([^/]+)\//.exec(path)?.[1] ?? []));
  const gone = [...services].filter((name) => !NEIGHBOUR.endsWith(`/${name}/`));
  const compose = withoutComposeEntries(disk.textOf('docker-compose.localstack.yml'), gone);
  const copied = disk.files.filter(
    (path) =>
      path.startsWith(NEIGHBOUR) ||
      /^worker\/(?!tests\/)/.test(path) ||
      /^(?:packages\/[^/]+\/)?package\.json$/.test(path) ||
      ['tsconfig.json', 'serverless.yml'].includes(path),
  );
  return new Map([
    ...copied.map((path): [string, string] => [path, disk.textOf(path)]),
    ...disk.files.filter((path) => ENTRY.test(path)).map((path): [string, string] => [path, '']),
    ['docker-compose.localstack.yml', withComposeEntry(compose, NAME, PORT)],
    ['.env.example', withPort(disk.textOf('.env.example'), NAME, PORT)],
    ...Object.entries(OWN),
    ...(await newFiles(disk.root, NAME, PORT)).map(({ path, text }): [string, string] => [path, text]),
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
  return new Tree({ repository, exported, implemented: [weighParcel], scheduled: [], ...options });
}

/** The sample's contracts, with one more. */
export function withContract(file: string, name: string, contract: TaskContract): Partial<TreeOptions> {
  return { exported: [...exported, { file, name, contract }] };
}
