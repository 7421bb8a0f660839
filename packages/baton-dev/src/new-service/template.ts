import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { renamed, type ServiceName } from './service-name.ts';

const TEMPLATE = fileURLToPath(new URL('template', import.meta.url));
/** All Dockerfiles are alike: a new one is this service's, under another name. */
const LIKE = 'order-service';
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
  const files = paths.map(async (path) => {
    const text = await readFile(path, 'utf8');
    const target = placeOf(path.slice(TEMPLATE.length + 1).replaceAll('\\', '/'));
    return formatted(root, {
      path: renamed(target, name),
      text: renamed(withPackageNames(target, text), name).replaceAll(PORT, String(port)),
    });
  });
  return Promise.all([...files, dockerfileFor(root, name)]);
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

/** In the template, contracts are beside the service; in the house, in common. */
function withPackageNames(path: string, text: string): string {
  if (path.startsWith('common/'))
    return text.replaceAll(/^(import .*)'@baton\/common\/(.+)';/gm, "$1'../$2.ts';");
  return text.replaceAll(/'(\.\.\/)+contracts\/samples\.ts'/g, "'@baton/common/contracts/samples'");
}

async function formatted(root: string, { path, text }: NewFile): Promise<NewFile> {
  if (!/\.(ts|json|yml)$/.test(path)) return { path, text };
  const filepath = join(root, path);
  return { path, text: await format(text, { ...(await resolveConfig(filepath)), filepath }) };
}

async function dockerfileFor(root: string, { plural }: ServiceName): Promise<NewFile> {
  const text = await readFile(join(root, 'functions', LIKE, 'Dockerfile'), 'utf8');
  return {
    path: `functions/${plural}-service/Dockerfile`,
    text: text
      .replaceAll(LIKE, `${plural}-service`)
      .replaceAll(/`handlers\.\w+`/g, '`handlers.records`')
      .replaceAll(/(image\.description=)"[^"]*"/g, `$1"Takes ${plural} in and records them"`),
  };
}
