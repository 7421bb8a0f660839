import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { ROOT } from '../stack/root.ts';
import { readSource, type Source } from './source.ts';
import { exportedFile, readWorkspaces, type Workspace } from './workspaces.ts';

/** Folders that hold nothing that was written for the repository. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'node_modules',
  '.git',
  '.serverless',
  'coverage',
  '.venv',
  '__pycache__',
]);

/** The files of a repository, and what they import. */
export class Repository {
  readonly root: string;
  /** All files, from the root, with forward slashes. */
  readonly files: readonly string[];
  readonly workspaces: readonly Workspace[];
  readonly #texts: Map<string, string>;
  #sources: readonly Source[] | undefined;

  /** @param texts - of files that are to be read as if they had these */
  constructor(root: string = ROOT, texts: ReadonlyMap<string, string> = new Map()) {
    this.root = root;
    this.files = filesBelow(root);
    this.workspaces = readWorkspaces(root);
    this.#texts = new Map(texts);
  }

  /** The text of a file, by its path from the root. */
  textOf(path: string): string {
    const text = this.#texts.get(path) ?? readFileSync(join(this.root, path), 'utf8');
    this.#texts.set(path, text);
    return text;
  }

  /** Every TypeScript file. */
  get sources(): readonly Source[] {
    this.#sources ??= this.files
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
      .map((path) => readSource(path, this.textOf(path)));
    return this.#sources;
  }

  /** The file that an import means, from the root; undefined for a package from outside. */
  fileOfImport({ path }: Pick<Source, 'path'>, request: string): string | undefined {
    if (request.startsWith('.')) return normalize(join(dirname(path), request)).replaceAll('\\', '/');
    return exportedFile(request, this.workspaces);
  }

  /** The files that a source imports, or makes a URL of. */
  filesUsedBy(source: Source): string[] {
    const requests = [...source.imports.map(({ request }) => request), ...source.urls];
    return requests.flatMap((request) => this.fileOfImport(source, request) ?? []);
  }
}

function filesBelow(root: string, folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => !LEFT_OUT.has(name))
    .flatMap((entry) => {
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      return entry.isDirectory() ? filesBelow(root, path) : [path];
    });
}
