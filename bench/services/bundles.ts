import { execFile } from 'node:child_process';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { partFolders, readPart } from 'baton-dev/stack/part';
import { ROOT } from './own-process.ts';

const run = promisify(execFile);

/** A function of the stack and the module of its handler. */
export interface FunctionEntry {
  /** Its name in functions.yml: `orderServiceApi`. */
  readonly name: string;
  /** The module of its handler, relative to the root, without extension: `functions/order-service/api`. */
  readonly module: string;
}

/** All functions of the stack. */
export function functionEntries(): FunctionEntry[] {
  const functions = partFolders().flatMap((folder) =>
    Object.entries(readPart(folder, 'dev').functions ?? {}),
  );
  return functions.map(([name, { handler }]) => ({
    name,
    module: handler.slice(0, handler.lastIndexOf('.')),
  }));
}

/** The library's watchdog thread. A worker's bundle loads it from a bundle of this name beside it. */
const WATCHDOG = 'watchdog-thread';

/**
 * Bundles modules.
 *
 * @param modules - relative to the root, without extensions. A module named `watchdog-thread` is the library's
 * @param script - `bundle` for functions, `bundle:image` for images. Default `bundle`
 * @returns the files of the bundles by module
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

/** Environment variables that images set. */
export const IMAGE_ENVIRONMENT = {
  NODE_OPTIONS: '--import=data:text/javascript,process.setSourceMapsEnabled(true)',
};

const images = new Map<string, Promise<ReadonlyMap<string, string>>>();

/** Bundles all servers as their images do, once for a folder. Returns the files by names such as `order-service`. */
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
