// The marked parts of the demo in files.
import { RemovalError } from './removal-error.ts';

/** A line that begins a part of the demo: `<!-- demo -->` in Markdown, `# demo` in YAML, `// demo` in code. */
const BEGIN = /^\s*(<!-- demo -->|# demo|\/\/ demo)\s*$/;
/** A line that ends it: the same with a slash before the word. */
const END = /^\s*(<!-- \/demo -->|# \/demo|\/\/ \/demo)\s*$/;

/**
 * Removes the marked parts of the demo from a text.
 *
 * @param path - for the error
 * @throws RemovalError naming the line of a mark that has no counterpart
 */
export function withoutMarkedParts(text: string, path: string): string {
  const kept: string[] = [];
  let begunAt = 0;
  for (const [index, line] of text.split('\n').entries()) {
    const isBegin = BEGIN.test(line);
    const isEnd = END.test(line);
    if ((isBegin && begunAt > 0) || (isEnd && begunAt === 0)) throw unpaired(path, index + 1);
    if (isBegin) begunAt = index + 1;
    else if (isEnd) begunAt = 0;
    else if (begunAt === 0) kept.push(line);
  }
  if (begunAt > 0) throw unpaired(path, begunAt);
  // A part that stood between empty lines leaves one of them
  return kept.join('\n').replaceAll(/\n{3,}/g, '\n\n');
}

function unpaired(path: string, line: number): RemovalError {
  return new RemovalError(`${path}:${line}: this mark of the demo is alone: expected a begin and an end`);
}
