import { defineTask, type TaskContract } from 'baton-tasks';
import * as z from 'zod';
import type { TreeOptions } from '../tree.ts';
import { queueText } from './sample-texts.ts';
import { weighParcel, withContract } from './sample-tree.ts';

/** A file of contracts that the sample has not got. */
export const PACK = 'common/contracts/packing.ts';

/** A contract of one's own, in a file of its own. */
export function contract(changes: Partial<TaskContract> = {}): TaskContract {
  return defineTask({
    name: 'packing.pack',
    queue: 'packing',
    payload: z.object({}),
    result: z.void(),
    retry: { maxAttempts: 4, baseSeconds: 5 },
    timeoutSeconds: 20,
    ...changes,
  });
}

/** That file. */
export const file = { [PACK]: 'export const pack = 1;\n' };

/** Its implementation, in common. */
export const implemented = {
  'common/tasks/pack.ts':
    "import { implement } from 'baton-tasks';\nimport { pack } from '../contracts/packing.ts';\nexport const packTask = implement(pack, async () => {});\n",
};

/** The sample's contracts with one in that file. @param runs - whether the worker lists its implementation */
export function running(own: TaskContract, runs = true): Partial<TreeOptions> {
  const implementing = runs ? [weighParcel, own] : [weighParcel];
  return { ...withContract('packing.ts', 'pack', own), implemented: implementing };
}

/** A change of worker/functions.yml that describes its queue. */
export const QUEUE: readonly [string, string] = [
  'resources:\n  Resources:\n',
  `resources:
  Resources:
${queueText('Packing', 'packing')}
`,
];
