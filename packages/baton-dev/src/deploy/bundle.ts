// The bundles of functions.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Table from 'cli-table3';
import { zipSync } from 'fflate';

/** The largest bundle, in bytes. Each megabyte of code makes a cold start about 30 ms longer. */
export const MAX_BUNDLE_BYTES = 1_000_000;

const WORK = '.serverless';
const BUNDLES = `${WORK}/bundles`;
/** The time of all entries, the oldest in ZIP files. So the same code gives the same bytes, and no new deploy. */
const EPOCH = new Date(1980, 0, 1);

/** A function cannot be bundled, or its bundle is too large. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
}

/** The uploaded code of a function. */
export interface Bundle {
  /** The function's name. */
  readonly name: string;
  /** The ZIP file, from the root. */
  readonly artifact: string;
  readonly bundleBytes: number;
  readonly zipBytes: number;
}

/**
 * Bundles the handlers of all functions with `npm run bundle`, like the images, and puts each into a ZIP file.
 *
 * @param root - the folder of serverless.yml
 * @throws BundleError with esbuild's message, or with the functions whose bundles are too large
 */
export async function bundleFunctions(
  root: string,
  functions: Readonly<Record<string, { readonly handler: string }>>,
): Promise<Bundle[]> {
  const modules = Object.entries(functions).map(([name, { handler }]): [string, string] => [
    name,
    handler.slice(0, handler.lastIndexOf('.')),
  ]);
  await rm(join(root, BUNDLES), { recursive: true, force: true });
  await mkdir(join(root, WORK), { recursive: true });
  await runBundle(root, [...new Set(modules.map(([, module]) => `${module}.ts`))]);
  const bundles = await Promise.all(modules.map(([name, module]) => zipped(root, name, module)));
  const tooLarge = bundles.filter(({ bundleBytes }) => bundleBytes > MAX_BUNDLE_BYTES);
  if (tooLarge.length === 0) return bundles;
  const named = tooLarge.map(({ name, bundleBytes }) => `${name} has ${bundleBytes}`).join(', ');
  throw new BundleError(`Bundles are too large: expected at most ${MAX_BUNDLE_BYTES} bytes; ${named}`);
}

/** Writes the sizes of bundles as a table. */
export function tableOf(bundles: readonly Bundle[]): string {
  const table = new Table({
    head: ['function', 'bundle, bytes', 'ZIP file, bytes'],
    colAligns: ['left', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const { name, bundleBytes, zipBytes } of bundles) table.push([name, bundleBytes, zipBytes]);
  return table.toString();
}

async function zipped(root: string, name: string, module: string): Promise<Bundle> {
  const file = `${module}.mjs`;
  const code = await readFile(join(root, BUNDLES, file));
  const licences = `${file}.LEGAL.txt`;
  const files = {
    [file]: code,
    ...(existsSync(join(root, BUNDLES, licences)) && {
      [licences]: await readFile(join(root, BUNDLES, licences)),
    }),
  };
  const zip = zipSync(files, { level: 9, mtime: EPOCH });
  const artifact = `${WORK}/${name}.zip`;
  await writeFile(join(root, artifact), zip);
  return { name, artifact, bundleBytes: code.byteLength, zipBytes: zip.byteLength };
}

function runBundle(root: string, entries: readonly string[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const args = ['run', '--silent', 'bundle', '--', ...entries, `--outdir=${BUNDLES}`, '--outbase=.'];
  execFile('npm', args, { cwd: root, shell: process.platform === 'win32' }, (error, stdout, stderr) => {
    if (error) reject(new BundleError(`The functions could not be bundled:\n${stdout}${stderr}`));
    else resolve();
  });
  return promise;
}
