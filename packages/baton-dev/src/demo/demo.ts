// The demo: its services, queues, tables and contracts.
import { type ExportedContract, readExportedContracts } from '../stack/contracts.ts';
import { stagePrefixOf } from '../stack/names.ts';
import { type Part, readParts } from '../stack/part.ts';
import { queuesOf } from '../stack/queues.ts';
import { tablesOf } from '../stack/tables.ts';

const STAGE = 'dev';

/** The services of the demo, and what they own. A service belongs to it when its functions.yml says `demo: true`. */
export interface Demo {
  /** The folders of its services, such as `functions/payments-service`. */
  readonly folders: readonly string[];
  /** The functions.yml of its services. */
  readonly parts: readonly Part[];
  /** Its queues and tables, without the prefix of a stage. */
  readonly queues: readonly string[];
  readonly tables: readonly string[];
  /** The contracts of tasks on its queues. */
  readonly contracts: readonly ExportedContract[];
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
    contracts: (await readExportedContracts()).filter(({ contract }) => queues.includes(contract.queue)),
  };
}
