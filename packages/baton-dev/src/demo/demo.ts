import type { TaskContract } from 'baton-tasks';
import { readContracts } from '../stack/contracts.ts';
import { stagePrefixOf } from '../stack/names.ts';
import { type Part, readParts } from '../stack/part.ts';
import { queuesOf } from '../stack/queues.ts';
import { tablesOf } from '../stack/tables.ts';

const STAGE = 'dev';

/** The services of the demo, and what they own. A service belongs to it when its functions.yml says `demo: true`. */
export interface Demo {
  /** The folders of its services, such as `functions/payments-service`. */
  readonly folders: readonly string[];
  /** What its services describe. */
  readonly parts: readonly Part[];
  /** Its queues and tables, without the prefix of a stage. */
  readonly queues: readonly string[];
  readonly tables: readonly string[];
  /** The contracts of tasks on its queues. */
  readonly contracts: readonly TaskContract[];
}

/** Reads the demo of the repository; empty once it is removed. */
export async function readDemo(): Promise<Demo> {
  const own = [...readParts(STAGE)].filter(([, { demo }]) => demo);
  const parts = own.map(([, part]) => part);
  const resources = Object.assign({}, ...parts.map((part) => part.resources?.Resources)) as NonNullable<
    NonNullable<Part['resources']>['Resources']
  >;
  const withoutPrefix = ({ name }: { readonly name: string }) => name.slice(stagePrefixOf(STAGE).length);
  const queues = queuesOf(resources).map(withoutPrefix);
  return {
    folders: own.map(([folder]) => folder),
    parts,
    queues,
    tables: tablesOf(resources).map(withoutPrefix),
    contracts: (await readContracts()).filter(({ queue }) => queues.includes(queue)),
  };
}

/** The names by which code and messages could mean the demo: of services, functions, resources, queues, contracts. */
export function namesOf({ folders, parts, queues, tables, contracts }: Demo): string[] {
  const names = [
    ...folders.map((folder) => folder.slice(folder.lastIndexOf('/') + 1)),
    ...parts.flatMap((part) => [
      ...Object.keys(part.functions ?? {}),
      ...Object.keys(part.resources?.Resources ?? {}),
      ...Object.keys(part.parameters ?? {}),
      ...Object.values(part.functions ?? {}).flatMap(({ environment }) => Object.keys(environment ?? {})),
    ]),
    ...queues,
    ...tables,
    ...contracts.map(({ name }) => name),
  ];
  return [...new Set(names)];
}
