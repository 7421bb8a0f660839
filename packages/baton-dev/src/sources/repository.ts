// The files of a repository.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { ROOT } from '../stack/root.ts';
import { type Code, readCode } from './code.ts';
import { readSource, type Source } from './source.ts';
import { exportedFile, type Manifest, workspacesOf, type Workspace } from './workspaces.ts';

/** Folders that hold nothing that was written for the repository. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'node_modules',
  '.git',
  '.serverless',
  'coverage',
  '.venv',
  '__pycache__',
]);

/** The files of a repository, and what they import. Each is read once. */
export class Repository {
  readonly root: string;
  /** All files, from the root, with forward slashes. */
  readonly files: readonly string[];
  readonly #texts: Map<string, string>;
  readonly #sources = new Map<string, Source>();
  readonly #code = new Map<string, Code>();
  #workspaces: readonly Workspace[] | undefined;

  /**
   * @param root - a folder; `''` if all files are among `texts`
   * @param texts - of files that are to be read as if they had these
   */
  constructor(root: string = ROOT, texts: ReadonlyMap<string, string> = new Map()) {
    this.root = root;
    const found = root === '' ? [] : filesBelow(root);
    const added = [...texts.keys()].filter((path) => !found.includes(path));
    this.files = [...found, ...added];
    this.#texts = new Map(texts);
  }

  /** Whether there is such a file, or such a folder, by its path from the root. */
  has(path: string): boolean {
    return this.#texts.has(path) || (this.root !== '' && existsSync(join(this.root, path)));
  }

  /** The text of a file, by its path from the root. */
  textOf(path: string): string {
    const text = this.#texts.get(path) ?? readFileSync(join(this.root, path), 'utf8');
    this.#texts.set(path, text);
    return text;
  }

  /** A package.json, by its path from the root. */
  manifestAt(path: string): Manifest {
    return JSON.parse(this.textOf(path)) as Manifest;
  }

  get workspaces(): readonly Workspace[] {
    this.#workspaces ??= workspacesOf(this.files, (path) => this.manifestAt(path));
    return this.#workspaces;
  }

  /** Every TypeScript file. */
  get sources(): readonly Source[] {
    return this.sourcesOf(() => true);
  }

  /** The TypeScript files that pass a test of their paths. */
  sourcesOf(isWanted: (path: string) => boolean): readonly Source[] {
    return this.files
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts') && isWanted(path))
      .map((path) => this.sourceAt(path));
  }

  /** A TypeScript file, by its path from the root. */
  sourceAt(path: string): Source {
    const source = this.#sources.get(path) ?? readSource(path, this.textOf(path));
    this.#sources.set(path, source);
    return source;
  }

  /** The code of a TypeScript file, by its path from the root. */
  codeAt(path: string): Code {
    const code = this.#code.get(path) ?? readCode(path, this.textOf(path));
    this.#code.set(path, code);
    return code;
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
