import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from '@jest/globals';
import { filesBelow, textOf } from './support/source.ts';

const pages = filesBelow()
  .filter((path) => path.endsWith('.md'))
  .map((path) => ({ path, text: textOf(path) }));

/** The anchor that a heading has on the repository's host: lower case, no punctuation, hyphens for spaces. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function anchorsOf(path: string): string[] {
  return [...textOf(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
}

test('each link in a page leads to a file that exists, and to a heading that it has', () => {
  const wrong = pages.flatMap(({ path, text }) => {
    const prose = text.replaceAll(/```[^]*?```/g, '');
    const targets = [...prose.matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)/gm)].map(
      ([, inline, defined]) => inline ?? defined ?? '',
    );
    return targets
      .filter((target) => !/^(https?|mailto):/.test(target))
      .flatMap((target) => {
        const [file = '', anchor] = target.split('#');
        const to = file ? normalize(join(dirname(path), file)) : path;
        if (!existsSync(to)) return [`${path}: ${target} leads to no file`];
        if (anchor !== undefined && !anchorsOf(to).includes(anchor)) {
          return [`${path}: ${to} has no heading #${anchor}`];
        }
        return [];
      });
  });
  expect(wrong).toEqual([]);
});
