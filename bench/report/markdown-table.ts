/** A column: its title, its cells from top to bottom, and `right` where they are figures. */
export interface Column {
  readonly title: string;
  readonly align?: 'right' | undefined;
  readonly cells: readonly string[];
}

/** A table of Markdown, not yet laid out. What is in a cell is Markdown: escape what is meant as it stands. */
export function markdownTable(columns: readonly Column[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const height = Math.max(...columns.map(({ cells }) => cells.length));
  const rows = Array.from({ length: height }, (_, row) => columns.map(({ cells }) => cells[row] ?? ''));
  const rule = columns.map(({ align }) => (align === 'right' ? '--:' : '---'));
  return [line(columns.map(({ title }) => title)), line(rule), ...rows.map(line)].join('\n');
}

/** Text as it stands, in Markdown: names of machines and reasons come from outside. */
export function escaped(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[\\`*_[\]|#~]/g, String.raw`\$&`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;');
}
