import { type ParseResult, parse } from '@babel/parser';

type Statement = ParseResult['program']['body'][number];

/** An import of a source file, or an export from another file. */
export interface Import {
  /** As written: a package, or a relative path. */
  readonly request: string;
  /** Counted from 1. */
  readonly line: number;
  /** The names by which the file knows what it imports. */
  readonly names: readonly string[];
}

/** Something that a file exports. */
export interface Export {
  /** The first line of its declaration. */
  readonly text: string;
  readonly line: number;
  readonly isDocumented: boolean;
}

/** A TypeScript file of a repository. */
export interface Source {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  /** Relative paths that it makes URLs of: `new URL('./thread.ts', import.meta.url)`. */
  readonly urls: readonly string[];
  /** The lines of its dynamic imports. */
  readonly dynamicImports: readonly number[];
  /** Without those that another file declares. */
  readonly exports: readonly Export[];
}

const URL_OF_FILE = /new URL\(\s*['`](\.[^'`$]+)['`],\s*import\.meta\.url/g;

/** Reads the imports and exports of a TypeScript file. */
export function readSource(path: string, text: string): Source {
  const { program, comments } = parse(text, {
    sourceType: 'module',
    plugins: ['typescript', 'importAttributes'],
  });
  const docEnds = (comments ?? []).flatMap(({ type, value, end }) =>
    type === 'CommentBlock' && value.startsWith('*') ? [end ?? 0] : [],
  );
  const isDocumented = (start: number): boolean =>
    docEnds.some((end) => end <= start && text.slice(end, start).trim() === '');
  return {
    path,
    text,
    imports: program.body.flatMap(importOf),
    urls: [...text.matchAll(URL_OF_FILE)].map(([, url = '']) => url),
    dynamicImports: [...text.matchAll(/\bimport\(/g)].map(({ index }) => lineAt(text, index)),
    exports: program.body.filter(isDeclaredExport).map((node) => {
      const start = node.start ?? 0;
      return {
        text: text.slice(start).split('\n', 1)[0] ?? '',
        line: node.loc?.start.line ?? 0,
        isDocumented: isDocumented(start),
      };
    }),
  };
}

/** The line that a text has at an index, counted from 1. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

function importOf(node: Statement): Import[] {
  if (
    node.type !== 'ImportDeclaration' &&
    node.type !== 'ExportAllDeclaration' &&
    node.type !== 'ExportNamedDeclaration'
  )
    return [];
  if (!node.source) return [];
  const names =
    node.type === 'ImportDeclaration' ? node.specifiers.map(({ local }) => local.name) : ([] as string[]);
  return [{ request: node.source.value, line: node.loc?.start.line ?? 0, names }];
}

function isDeclaredExport(node: Statement): boolean {
  if (node.type === 'ExportDefaultDeclaration') return true;
  return node.type === 'ExportNamedDeclaration' && !node.source;
}
