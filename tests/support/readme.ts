import { textOf } from './source.ts';

/** The README. */
export const readme = textOf('README.md');

/** The lines of a page's blocks of a language. */
export function linesOf(page: string, language: string): string[] {
  const blocks = textOf(page).matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'));
  return [...blocks].flatMap(([, block = '']) => block.trim().split('\n'));
}
