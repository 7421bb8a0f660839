// Circles of imports.
import type { Repository } from '../sources/repository.ts';
import type { Source } from '../sources/source.ts';

/** Files that import each other in a circle. */
export interface Circle {
  /** The last one imports the first one. */
  readonly files: readonly string[];
  /** The import to take out: afterwards this circle is none. */
  readonly line: number;
}

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * The circles of some sources: one for each import that has to go, and of the circles that it makes the shortest. The file
 * that stands last in a circle has that import.
 *
 * @param isBackward - whether an import is known to point the wrong way: it has to go rather than any other of its circle
 */
export function circlesOf(
  repository: Repository,
  sources: readonly Source[],
  isBackward: (from: string, to: string) => boolean = () => false,
): Circle[] {
  const paths = new Set(sources.map(({ path }) => path));
  const graph = new Map<string, Set<string>>(
    sources.map((source) => [
      source.path,
      new Set(importedBy(repository, source).filter((path) => paths.has(path))),
    ]),
  );
  const circles: string[][] = [];
  for (;;) {
    const circle = nextCircle(graph, isBackward);
    if (!circle) break;
    circles.push(circle);
    graph.get(circle.at(-1) ?? '')?.delete(circle[0] ?? '');
  }
  return circles.map((files) => ({ files, line: lineOfImport(repository, files) }));
}

/** The shortest circle through an import that points the wrong way; if there is none, the shortest of all. */
function nextCircle(graph: Graph, isBackward: (from: string, to: string) => boolean): string[] | undefined {
  const knots = knotsOf(graph);
  const closings = [...knots].flatMap(([from, knot]) =>
    [...(graph.get(from) ?? [])].filter((to) => knots.get(to) === knot).map((to) => ({ from, to })),
  );
  const backward = closings.filter(({ from, to }) => isBackward(from, to));
  const circles = (backward.length > 0 ? backward : closings).map(({ from, to }) =>
    wayBetween(graph, to, from),
  );
  return circles.toSorted(
    (one, other) => one.length - other.length || (String(one) < String(other) ? -1 : 1),
  )[0];
}

/** Which files reach each other: files with the same number do. Files that are in no circle are left out. */
function knotsOf(graph: Graph): ReadonlyMap<string, number> {
  const indexes = new Map<string, number>();
  const lows = new Map<string, number>();
  const open: string[] = [];
  const knots = new Map<string, number>();
  const lower = (path: string, low: number): void => {
    lows.set(path, Math.min(lows.get(path) ?? Infinity, low));
  };
  // Tarjan's algorithm for strongly connected components
  const visit = (path: string): void => {
    const index = indexes.size;
    indexes.set(path, index);
    lower(path, index);
    open.push(path);
    for (const next of graph.get(path) ?? []) {
      if (!indexes.has(next)) visit(next);
      if (open.includes(next)) lower(path, lows.get(next) ?? index);
    }
    if (lows.get(path) !== index) return;
    const knot = open.splice(open.indexOf(path));
    if (knot.length > 1 || graph.get(path)?.has(path)) for (const each of knot) knots.set(each, index);
  };
  for (const path of graph.keys()) if (!indexes.has(path)) visit(path);
  return knots;
}

/** The files on the shortest way from one to another, both included. */
function wayBetween(graph: Graph, from: string, to: string): string[] {
  const before = new Map<string, string | undefined>([[from, undefined]]);
  for (const path of before.keys()) {
    if (path === to) break;
    for (const next of graph.get(path) ?? []) if (!before.has(next)) before.set(next, path);
  }
  const way: string[] = [];
  for (let path: string | undefined = to; path !== undefined; path = before.get(path)) way.unshift(path);
  return way;
}

function importedBy(repository: Repository, source: Source): string[] {
  return source.imports.flatMap(({ request }) => repository.fileOfImport(source, request) ?? []);
}

function lineOfImport(repository: Repository, files: readonly string[]): number {
  const source = repository.sourceAt(files.at(-1) ?? '');
  const own = source.imports.find(({ request }) => repository.fileOfImport(source, request) === files[0]);
  return own?.line ?? 1;
}
