import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from '@babel/parser';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LEFT_OUT = new Set(['node_modules', '.git', '.serverless', 'coverage', '.venv', '__pycache__']);

/** A source file of the repository. */
export interface Source {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** What it imports, as written: packages, `@baton/...` and relative files. */
  readonly imports: readonly string[];
  readonly dynamicImports: number;
  /** The names that it exports without a doc comment. */
  readonly undocumented: readonly string[];
}

/** The repository's own files, as paths from its root. */
export function filesBelow(folder = ''): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter(({ name }) => !LEFT_OUT.has(name))
    .flatMap((entry) => {
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      return entry.isDirectory() ? filesBelow(path) : [path];
    });
}

/** Every folder of that name below the root, as paths from there; what lies inside one is not looked at. */
export function foldersNamed(name: string, folder = ''): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== '.git')
    .flatMap((entry) => {
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      return entry.name === name ? [path] : foldersNamed(name, path);
    });
}

/** The text of a file, by its path from the root. */
export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Every TypeScript file of the repository, read. */
export function readSources(): Source[] {
  return filesBelow()
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .map(readSource);
}

/** The file of the repository that an import means, as a path from the root; undefined for a package from outside. */
export function fileOfImport({ path }: Source, request: string): string | undefined {
  if (request.startsWith('.')) return normalize(join(dirname(path), request)).replaceAll('\\', '/');
  const [, entry] = /^baton-tasks(?:\/([a-z]+))?$/.exec(request) ?? [];
  if (entry !== undefined || request === 'baton-tasks')
    return `packages/baton/src/${entry === undefined ? '' : `${entry}/`}index.ts`;
  const [, tool] = /^baton-dev\/(.+)$/.exec(request) ?? [];
  if (tool) return `packages/baton-dev/src/${tool}.ts`;
  const [, room = '', rest = ''] = /^@baton\/([^/]+)\/(.+)$/.exec(request) ?? [];
  if (!room) return undefined;
  if (room === 'tests') return `tests/${/^(containers|deploy)\//.test(rest) ? '' : 'support/'}${rest}.ts`;
  return `${room.endsWith('-service') ? `functions/${room}` : room}/${rest}.ts`;
}

function readSource(path: string): Source {
  const text = textOf(path);
  const plugins = ['typescript', 'importAttributes'] as const;
  const { program, comments } = parse(text, { sourceType: 'module', plugins: [...plugins] });
  const docEnds = (comments ?? []).flatMap(({ type, value, end }) =>
    type === 'CommentBlock' && value.startsWith('*') ? [end ?? 0] : [],
  );
  const documented = (start: number): boolean =>
    docEnds.some((end) => end <= start && text.slice(end, start).trim() === '');
  const imports = program.body.flatMap((node) => {
    const from =
      node.type === 'ImportDeclaration' ||
      node.type === 'ExportAllDeclaration' ||
      node.type === 'ExportNamedDeclaration';
    return from && node.source ? [node.source.value] : [];
  });
  const undocumented = program.body
    .filter(({ type }) => type === 'ExportNamedDeclaration' || type === 'ExportDefaultDeclaration')
    .filter((node) => !('source' in node && node.source) && !documented(node.start ?? 0))
    .map(({ start }) => text.slice(start ?? 0, text.indexOf('\n', start ?? 0)));
  return { path, text, imports, dynamicImports: [...text.matchAll(/\bimport\(/g)].length, undocumented };
}
