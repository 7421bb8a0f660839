// Reads the implementations of the worker.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Implementation } from 'baton-tasks';
import { ROOT } from './root.ts';

/** The file whose export `allTasks` lists every implementation that any worker can run. */
export const IMPLEMENTATIONS = 'common/tasks/all.ts';

/** The implementations that the worker runs. @throws TypeError unless `common/tasks/all.ts` exports the list `allTasks` */
export async function readImplementations(): Promise<readonly Implementation[]> {
  const { allTasks } = (await import(pathToFileURL(join(ROOT, IMPLEMENTATIONS)).href)) as Readonly<
    Record<string, unknown>
  >;
  if (Array.isArray(allTasks)) return allTasks as Implementation[];
  throw new TypeError(`${IMPLEMENTATIONS}: expected it to export allTasks, a list of implementations`);
}
