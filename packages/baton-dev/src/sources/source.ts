// A source file: its imports, exports and names.
import { type ParseResult, parse } from '@babel/parser';
import { type AstNode, literalOf, nodesOf } from './ast.ts';

type Statement = ParseResult['program']['body'][number];

/** A name that a file imports. */
export interface ImportedName {
  /** Its name in the other file. `*` is all that it exports, `default` its default export. */
  readonly imported: string;
  /** Its name in this file. undefined if the file only exports it again. */
  readonly local?: string | undefined;
  /** The name by which this file exports it again. */
  readonly exported?: string | undefined;
}

/** An import of a source file, or an export from another file. */
export interface Import {
  /** As written: a package, or a relative path. */
  readonly request: string;
  /** Counted from 1. */
  readonly line: number;
  /** None of `import './other.ts'` and of inline ones, such as the type `import('./other.ts').Name`. */
  readonly names: readonly ImportedName[];
}

/** Something that a file exports. */
export interface Export {
  /** The first line of its declaration. */
  readonly text: string;
  readonly line: number;
  readonly isDocumented: boolean;
  /** `default` for the default export. */
  readonly names: readonly string[];
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

/** A file is no TypeScript. Its message names the file, the line and what is wrong there. */
export class SourceError extends SyntaxError {}

/** Reads the imports and exports of a TypeScript file. @throws SourceError */
export function readSource(path: string, text: string): Source {
  const { program, comments } = parsed(path, text);
  const docEnds = (comments ?? []).flatMap(({ type, value, end }) =>
    type === 'CommentBlock' && value.startsWith('*') ? [end ?? 0] : [],
  );
  const isDocumented = (start: number): boolean =>
    docEnds.some((end) => end <= start && text.slice(end, start).trim() === '');
  // Only a walk through all of the code finds them, and few files have any
  const inline = /\bimport\s*\(/.test(text) ? nodesOf(program as unknown as AstNode) : [];
  return {
    path,
    text,
    imports: [...program.body.flatMap(importOf), ...inline.flatMap(inlineImportOf)],
    urls: [...text.matchAll(URL_OF_FILE)].map(([, url = '']) => url),
    dynamicImports: inline.filter(isDynamicImport).map(({ loc }) => loc?.start.line ?? 0),
    exports: program.body.filter(isDeclaredExport).map((node) => {
      const start = node.start ?? 0;
      return {
        text: text.slice(start).split('\n', 1)[0] ?? '',
        line: node.loc?.start.line ?? 0,
        isDocumented: isDocumented(start),
        names: namesOfExport(node as unknown as AstNode),
      };
    }),
  };
}

/** The syntax tree of a TypeScript file. @throws SourceError */
export function parsed(path: string, text: string): ParseResult {
  try {
    return parse(text, { sourceType: 'module', plugins: ['typescript', 'importAttributes'] });
  } catch (error) {
    const { message, loc } = error as SyntaxError & { readonly loc?: { readonly line: number } };
    throw new SourceError(`${path}:${loc?.line ?? 1}: ${message}`);
  }
}

function importOf(node: Statement): Import[] {
  const line = node.loc?.start.line ?? 0;
  if (node.type === 'TSImportEqualsDeclaration' && node.moduleReference.type === 'TSExternalModuleReference')
    return [
      {
        request: node.moduleReference.expression.value,
        line,
        names: [{ imported: '*', local: node.id.name }],
      },
    ];
  if (
    node.type !== 'ImportDeclaration' &&
    node.type !== 'ExportAllDeclaration' &&
    node.type !== 'ExportNamedDeclaration'
  )
    return [];
  if (!node.source) return [];
  const names =
    node.type === 'ExportAllDeclaration'
      ? [{ imported: '*', exported: '*' }]
      : node.specifiers.map((each) => importedName(each as unknown as AstNode));
  return [{ request: node.source.value, line, names }];
}

function importedName({ type, imported, local, exported }: AstNode): ImportedName {
  const own = nameOf(local);
  switch (type) {
    case 'ImportSpecifier':
      return { imported: nameOf(imported) ?? '', local: own };
    case 'ImportDefaultSpecifier':
      return { imported: 'default', local: own };
    case 'ImportNamespaceSpecifier':
      return { imported: '*', local: own };
    // export * as name from
    case 'ExportNamespaceSpecifier':
      return { imported: '*', exported: nameOf(exported) };
    default:
      return { imported: own ?? '', exported: nameOf(exported) };
  }
}

/** The types `import('x')` and `typeof import('x')`, and dynamic imports whose path is a plain text. */
function inlineImportOf(node: AstNode): Import[] {
  const [argument] = node.type === 'TSImportType' ? [node.argument] : importArguments(node);
  const request = literalOf(argument);
  return request === undefined ? [] : [{ request, line: node.loc?.start.line ?? 0, names: [] }];
}

function isDynamicImport(node: AstNode): boolean {
  return importArguments(node).length > 0;
}

function importArguments({ type, callee, arguments: given }: AstNode): unknown[] {
  const isImport = type === 'CallExpression' && (callee as AstNode).type === 'Import';
  return isImport ? (given as unknown[]) : [];
}

function isDeclaredExport(node: Statement): boolean {
  if (node.type === 'ExportDefaultDeclaration') return true;
  return node.type === 'ExportNamedDeclaration' && !node.source;
}

function namesOfExport({ type, declaration, specifiers }: AstNode): string[] {
  if (type === 'ExportDefaultDeclaration') return ['default'];
  const { id, declarations } = (declaration ?? {}) as AstNode;
  const declared = [id, ...((declarations ?? []) as AstNode[]).map((each) => each.id)];
  const listed = ((specifiers ?? []) as AstNode[]).map(({ exported }) => exported);
  return [...declared, ...listed].flatMap((each) => nameOf(each) ?? []);
}

/** An identifier's name, or the text of a name in quotes. */
function nameOf(node: unknown): string | undefined {
  const { name, value } = (node ?? {}) as { readonly name?: unknown; readonly value?: unknown };
  const text = name ?? value;
  return typeof text === 'string' ? text : undefined;
}
