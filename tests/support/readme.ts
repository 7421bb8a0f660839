import { Repository } from 'baton-dev/sources/repository';

const repository = new Repository();

/** The text of the README. */
export const readme = repository.textOf('README.md');

/** The code blocks of a language in a page. */
export function blocksOf(page: string, language: string): string[] {
  const blocks = repository.textOf(page).matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'));
  return [...blocks].map(([, block = '']) => block);
}

/** The lines of all code blocks of a language in a page. */
export function linesOf(page: string, language: string): string[] {
  return blocksOf(page, language).flatMap((block) => block.trim().split('\n'));
}
