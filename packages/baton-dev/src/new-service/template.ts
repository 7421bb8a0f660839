// The template of a new service.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { serviceDockerfile } from '../dockerfiles/dockerfile.ts';
import { renamed, type ServiceName } from './service-name.ts';

const TEMPLATE = fileURLToPath(new URL('template', import.meta.url));
/** The port of the template. */
const PORT = '8999';

/** A file to be made. */
export interface NewFile {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

/**
 * The files of a new service: those of the template, which is a service that keeps samples, under its name.
 *
 * @param root - of the repository
 * @param port - of its server, where no other is set
 */
export async function newFiles(root: string, name: ServiceName, port: number): Promise<NewFile[]> {
  const paths = await templatePaths();
  const writing = paths.map(async (path) => {
    const text = await readFile(path, 'utf8');
    const target = placeOf(path.slice(TEMPLATE.length + 1).replaceAll('\\', '/'));
    return formatted(root, {
      path: renamed(target, name),
      text: renamed(withPackageNames(target, text), name).replaceAll(PORT, String(port)),
    });
  });
  const files = await Promise.all(writing);
  return [...files, dockerfileFor(name, files)];
}

async function templatePaths(): Promise<string[]> {
  const found = await readdir(TEMPLATE, { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

/** The texts of the template's code. */
export async function templateTexts(): Promise<string[]> {
  const paths = (await templatePaths()).filter((path) => path.endsWith('.ts'));
  return Promise.all(paths.map((path) => readFile(path, 'utf8')));
}

function placeOf(path: string): string {
  return path.startsWith('contracts/') ? `common/${path}` : `functions/${path}`;
}

/** In the template, contracts are beside the service; in the repository, in common. */
function withPackageNames(path: string, text: string): string {
  if (path.startsWith('common/'))
    return text.replaceAll(/^(import [^'\n]*)'@baton\/common\/([^'\n]+)';/gm, "$1'../$2.ts';");
  return text.replaceAll(/'(\.\.\/)+contracts\/samples\.ts'/g, "'@baton/common/contracts/samples'");
}

/** A file in the format of the repository. */
export async function formatted(root: string, { path, text }: NewFile): Promise<NewFile> {
  if (!/\.(ts|json|yml)$/.test(path)) return { path, text };
  const filepath = join(root, path);
  return { path, text: await format(text, { ...(await resolveConfig(filepath)), filepath }) };
}

/** The Dockerfile of a service whose other files are made. */
function dockerfileFor({ plural }: ServiceName, files: readonly NewFile[]): NewFile {
  const folder = `functions/${plural}-service`;
  const own = files.filter(({ path }) => path.startsWith(`${folder}/`));
  const manifest = own.find(({ path }) => path === `${folder}/package.json`)?.text ?? '{}';
  const { description } = JSON.parse(manifest) as { readonly description: string };
  const names = own.map(({ path }) => path.slice(folder.length + 1));
  return { path: `${folder}/Dockerfile`, text: serviceDockerfile({ folder, description, files: names }) };
}
