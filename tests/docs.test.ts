import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parameterNames } from 'baton-dev/deploy/parameters';
import { CONTRACT_FIELDS } from 'baton-dev/contract-guard/contract';
import { DEAD_LETTER_REASONS } from 'baton-tasks/tooling';
import { Repository } from 'baton-dev/sources/repository';

const MAX_ROW_CHARACTERS = 160;
const MAX_LINES = 120;

const repository = new Repository();
const pages = repository.files
  .filter((path) => path.endsWith('.md'))
  .map((path) => ({ path, text: repository.textOf(path) }));

/** The anchor of a heading on the repository's host: lower case, no punctuation, hyphens for spaces. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function anchorsOf(path: string): string[] {
  return [...repository.textOf(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
}

test('every link in a page leads to an existing file and heading', () => {
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

test(`table rows have at most ${MAX_ROW_CHARACTERS} characters`, () => {
  const long = pages.flatMap(({ path, text }) =>
    text
      .split('\n')
      .map((line, index) => ({ line, place: `${path}:${index + 1}` }))
      .filter(({ line }) => line.startsWith('|') && line.length > MAX_ROW_CHARACTERS)
      .map(({ line, place }) => `${place} has ${line.length} characters: write the table as a list`),
  );
  expect(long).toEqual([]);
});

test.each(['README.md', 'ARCHITECTURE.md'])(`%s has at most ${MAX_LINES} lines`, (path) => {
  const lines = repository.textOf(path).trimEnd().split('\n').length;
  const advice = lines > MAX_LINES ? `${path} has ${lines} lines: move a part to the page of its reader` : '';
  expect(advice).toBe('');
});

test('every page in docs names its reader in its first sentence', () => {
  const silent = pages.filter(({ path, text }) => path.startsWith('docs/') && !/^# .+\n\nFor \w/.test(text));
  expect(
    silent.map(({ path }) => `${path}: begin the first paragraph with "For ..." and name the reader`),
  ).toEqual([]);
});

test('docs/deploy.md lists every parameter of a deploy', () => {
  const page = repository.textOf('docs/deploy.md');
  const missing = parameterNames(new Map()).filter((name) => !page.includes(`\`${name}\``));
  expect(missing.map((name) => `docs/deploy.md does not say what \`${name}\` does`)).toEqual([]);
});

describe('each reason for a dead letter', () => {
  test.each(Object.entries(DEAD_LETTER_REASONS))('is in the docs: %s', (reason, meaning) => {
    const page = repository.textOf('docs/dead-letters.md').replaceAll(/\s+/g, ' ');
    const line = `- \`${reason}\`: ${meaning}.`;
    const advice = `docs/dead-letters.md, "Reasons", lacks "${line}" and what to do about it`;
    expect(page.includes(line) ? '' : advice).toBe('');
    const promised = repository.textOf('docs/guarantees.md').includes(`\`${reason}\``);
    expect(promised ? '' : `docs/guarantees.md does not say when a message is \`${reason}\``).toBe('');
  });
});

test('docs/guide.md explains every field of a contract', () => {
  const [, section = ''] = /\n## A contract\n([^]*?)\n## /.exec(repository.textOf('docs/guide.md')) ?? [];
  const listed = new Set(
    [...section.matchAll(/^- (`.+?):/gm)].flatMap(([, names = '']) => names.split(/`,? ?/)),
  );
  const missing = Object.keys(CONTRACT_FIELDS).filter((field) => !listed.has(field));
  expect(missing.map((field) => `docs/guide.md, "A contract", has no line for \`${field}\``)).toEqual([]);
});

describe('.env.example', () => {
  const examples = repository.files.filter((path) => /\w\/\.env\.example$/.test(path));

  function variablesIn(file: string): string[] {
    const names = repository.textOf(`packages/baton/src/${file}`).matchAll(/^ +([A-Z]+(?:_[A-Z]+)*): /gm);
    // Only compose has one endpoint for everything, and only a secret's own page says where it is kept
    const elsewhere = /^AWS_ENDPOINT_URL(?:_SECRETS_MANAGER)?$/;
    return [...names].map(([, name = '']) => name).filter((name) => !elsewhere.test(name));
  }

  function variablesOf(folder: string): string[] {
    if (folder === 'worker') return [...variablesIn('process/config.ts'), ...variablesIn('worker/config.ts')];
    const shared = [...variablesIn('process/config.ts'), ...variablesIn('http/server-config.ts')];
    const consumes = repository.has(`${folder}/handlers.ts`);
    return shared.filter(
      (name) => name !== 'AWS_ENDPOINT_URL_LAMBDA' && (consumes || !name.startsWith('FUNCTIONS_')),
    );
  }

  test.each(examples)('has every variable that the library reads there: %s', (path) => {
    const listed = repository.textOf(path);
    const names = variablesOf(dirname(path));
    const missing = names.filter((name) => !new RegExp(`^${name}=`, 'm').test(listed));
    expect(names.length).toBeGreaterThan(10);
    expect(missing.map((name) => `${path} does not list ${name}`)).toEqual([]);
  });
});

test('docs/http.md lists every kind of problem with its status', () => {
  const kinds = [
    ...repository.textOf('packages/baton/src/http/problem.ts').matchAll(/^  '([a-z-]+)': \[(\d+),/gm),
  ];
  expect(kinds.length).toBeGreaterThan(10);
  const lines = repository.textOf('docs/http.md').split('\n');
  const missing = kinds.filter(
    ([, kind = '', status = '']) =>
      !lines.some((line) => line.startsWith(`- **${status}**`) && line.includes(`\`${kind}\``)),
  );
  expect(missing.map(([, kind, status]) => `docs/http.md has no ${status} \`${kind}\``)).toEqual([]);
});

describe('ARCHITECTURE.md', () => {
  const LIBRARY = 'packages/baton/src/';
  const text = repository.textOf('ARCHITECTURE.md').replaceAll(/\s+/g, ' ');
  const named = [...text.matchAll(/`([\w/-]+\.ts): (#?\w+)`/g)].map(([, path = '', name = '']) => ({
    path,
    name,
  }));

  test('names only functions and classes that exist in the named files', () => {
    expect(named.length).toBeGreaterThan(12);
    const wrong = named.flatMap(({ path, name }) => {
      if (!existsSync(LIBRARY + path)) return [`${LIBRARY}${path} does not exist`];
      const declared = new RegExp(
        `^export (async )?(function|class) ${name}\\b|^(async )?function ${name}\\b|^  (async |readonly )?${name}(: \\w+)?( =|\\()`,
        'm',
      );
      return declared.test(repository.textOf(LIBRARY + path))
        ? []
        : [`${LIBRARY}${path} does not declare ${name}`];
    });
    expect(wrong).toEqual([]);
  });

  test('lists every folder of the library', () => {
    const folders = new Set(
      repository.files
        .filter((path) => path.startsWith(LIBRARY))
        .flatMap((path) => path.slice(LIBRARY.length).match(/^\w+(?=\/)/) ?? []),
    );
    const missing = [...folders].filter(
      (folder) => !new RegExp(`^  ${folder} `, 'm').test(repository.textOf('ARCHITECTURE.md')),
    );
    expect(missing.map((folder) => `ARCHITECTURE.md does not say what ${LIBRARY}${folder} is`)).toEqual([]);
  });
});
