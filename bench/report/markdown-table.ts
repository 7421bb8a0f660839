/** A column: its title and its cells from top to bottom. */
export interface Column {
  readonly title: string;
  /** `right` for figures. Default: left. */
  readonly align?: 'right' | undefined;
  readonly cells: readonly string[];
}

/** A Markdown table in Prettier's layout. Cells contain Markdown: escape plain text with `escaped`. */
export function markdownTable(columns: readonly Column[]): string {
  const height = Math.max(...columns.map(({ cells }) => cells.length));
  const drawn = columns.map((column) => linesOf(column, height));
  const lines = Array.from({ length: height + 2 }, (_, place) => drawn.map((column) => column[place] ?? ''));
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** A column's title, rule and cells, all of the same width. */
function linesOf({ title, align, cells }: Column, height: number): string[] {
  const all = [title, ...Array.from({ length: height }, (_, row) => cells[row] ?? '')];
  const width = Math.max(3, ...all.map(({ length }) => length));
  const rule = align === 'right' ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width);
  const padded = all.map((cell) => (align === 'right' ? cell.padStart(width) : cell.padEnd(width)));
  return padded.toSpliced(1, 0, rule);
}

/** Escapes plain text for Markdown: names of machines and reasons come from outside. */
export function escaped(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[\\`*_[\]|#~]/g, String.raw`\$&`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;');
}
