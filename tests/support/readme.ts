import { Repository } from 'baton-dev/sources/repository';

const repository = new Repository();

/** The README. */
export const readme = repository.textOf('README.md');

/** A page's blocks of a language. */
export function blocksOf(page: string, language: string): string[] {
  const blocks = repository.textOf(page).matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'));
  return [...blocks].map(([, block = '']) => block);
}

/** The lines of a page's blocks of a language. */
export function linesOf(page: string, language: string): string[] {
  return blocksOf(page, language).flatMap((block) => block.trim().split('\n'));
}
