// The Dockerfile of each folder that has an image, as its template makes it
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderTemplate } from './template.ts';

/** The command that writes the Dockerfiles. */
export const COMMAND = 'npm run dockerfiles';

/** The folder of the gateway and resources. Their images have descriptions of their own. */
const CONTAINERS = 'packages/baton-dev';

const headOf = (template: string): string =>
  `# Written by \`${COMMAND}\` from packages/baton-dev/src/dockerfiles/templates/${template}.Dockerfile.\n` +
  '# Change that file. To change this one alone, delete these two lines: then it is yours.\n';

/** A folder with an image of its own. */
export interface ImageFolder {
  /** From the root, such as `functions/payments-service`. */
  readonly folder: string;
  /** What the image does, for its label: the `description` of the folder's package.json. */
  readonly description: string;
  /** The names of the files in the folder. Those that are entries are bundled. */
  readonly files: readonly string[];
}

/** The Dockerfile of a service. */
export function serviceDockerfile(image: ImageFolder): string {
  const entries = ['main.ts', 'api.ts', 'handlers.ts'].filter((file) => image.files.includes(file));
  const functions = entries.slice(1).map((file) => `/bundle/${file.replace(/\.ts$/, '.mjs*')}`);
  return dockerfile('service', image, entries, { functions: functions.join(' ') });
}

/** The Dockerfile of the worker. */
export function workerDockerfile(image: ImageFolder): string {
  return dockerfile('worker', image, ['main.ts', 'thread.ts', 'lambda.ts'], {});
}

/** The Dockerfile of what stands in for AWS in containers: the gateway and resources. */
export function containersDockerfile(): string {
  const image = { folder: CONTAINERS, description: '', files: [] };
  return dockerfile('containers', image, [], {});
}

function dockerfile(
  template: string,
  { folder, description }: ImageFolder,
  entries: readonly string[],
  values: Readonly<Record<string, string>>,
): string {
  const text = renderTemplate(template, {
    folder,
    name: folder.split('/').at(-1) ?? folder,
    description,
    entries: entries.map((file) => `${folder}/${file}`).join(' '),
    ...values,
  });
  return headOf(template) + text;
}

/** A Dockerfile that a template makes, and what is on disk in its place. */
export interface WrittenDockerfile {
  /** From the root. */
  readonly path: string;
  readonly text: string;
  /** Undefined if there is none. */
  readonly found: string | undefined;
}

/**
 * The Dockerfiles that templates make, without those that somebody made their own by deleting the first two lines.
 *
 * @param root - of the repository
 * @throws Error if the package.json of a folder has no description
 */
export function writtenDockerfiles(root: string): WrittenDockerfile[] {
  const services = readdirSync(join(root, 'functions'))
    .map((name) => `functions/${name}`)
    .filter((folder) => existsSync(join(root, folder, 'package.json')));
  const made = [
    ...services.map((folder) => ({ folder, text: serviceDockerfile(imageFolderAt(root, folder)) })),
    { folder: 'worker', text: workerDockerfile(imageFolderAt(root, 'worker')) },
    { folder: CONTAINERS, text: containersDockerfile() },
  ];
  return made
    .map(({ folder, text }) => {
      const path = `${folder}/Dockerfile`;
      const found = existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined;
      return { path, text, found };
    })
    .filter(({ found }) => found === undefined || found.startsWith('# Written by '));
}

function imageFolderAt(root: string, folder: string): ImageFolder {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
    readonly description?: string;
  };
  if (!manifest.description)
    throw new Error(`${folder}/package.json has no "description": expected what the service does`);
  return { folder, description: manifest.description, files: readdirSync(join(root, folder)) };
}
