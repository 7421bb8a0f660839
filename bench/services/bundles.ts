import { execFile } from 'node:child_process';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { partFolders, readPart } from 'baton-dev/stack/part';
import { ROOT } from './own-process.ts';

const run = promisify(execFile);

/** A function, and where its handler is. */
export interface FunctionEntry {
  /** As functions.yml has it: `orderServiceApi`. */
  readonly name: string;
  /** The module of its handler, from the root and without an ending: `functions/order-service/api`. */
  readonly module: string;
}

/** Every function of the stack. */
export function functionEntries(): FunctionEntry[] {
  const functions = partFolders().flatMap((folder) =>
    Object.entries(readPart(folder, 'dev').functions ?? {}),
  );
  return functions.map(([name, { handler }]) => ({
    name,
    module: handler.slice(0, handler.lastIndexOf('.')),
  }));
}

/** The library's watchdog thread: a worker's bundle needs a bundle of it beside it, under this name. */
const WATCHDOG = 'watchdog-thread';

/**
 * Bundles modules.
 *
 * @param modules - from the root, without their endings. One called `watchdog-thread` is the library's
 * @param script - `bundle`, as deploys do, or `bundle:image`, as images do. Default: as deploys do
 * @returns the bundles' files by their modules
 */
export async function makeBundles(
  folder: string,
  modules: readonly string[],
  script: 'bundle' | 'bundle:image' = 'bundle',
): Promise<ReadonlyMap<string, string>> {
  const distinct = [...new Set(modules)];
  const entries = distinct.map((module) => {
    const source = basename(module) === WATCHDOG ? `baton-tasks/${WATCHDOG}` : `./${module}.ts`;
    return `${module}=${source}`;
  });
  const options = [`--outdir=${folder}`];
  await run('npm', ['run', '--silent', script, '--', ...entries, ...options], { cwd: ROOT });
  return new Map(distinct.map((module) => [module, join(folder, `${module}.mjs`)]));
}

/** What images run their bundles with. */
export const IMAGE_ENVIRONMENT = {
  NODE_OPTIONS: '--import=data:text/javascript,process.setSourceMapsEnabled(true)',
};

const images = new Map<string, Promise<ReadonlyMap<string, string>>>();

/** The bundles of all servers as their images have them, made once for a folder; by names such as `order-service`. */
export function imageBundles(folder: string): Promise<ReadonlyMap<string, string>> {
  const made = images.get(folder) ?? makeImageBundles(folder);
  images.set(folder, made);
  return made;
}

async function makeImageBundles(folder: string): Promise<ReadonlyMap<string, string>> {
  const parts = partFolders();
  const modules = parts.map((part) => `${part}/main`);
  const threads = ['worker/thread', `worker/${WATCHDOG}`];
  const files = await makeBundles(folder, [...modules, ...threads], 'bundle:image');
  return new Map(parts.map((part) => [basename(part), files.get(`${part}/main`) ?? '']));
}
