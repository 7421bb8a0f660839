// The files of each deployed folder.
import type { Repository } from '../sources/repository.ts';
import { SourceError } from '../sources/source.ts';
import { isDeployed } from './paths.ts';
import type { Breach, Rule } from './rule.ts';

/** The files of a deployed folder, and where to get them. */
const FILES: Readonly<Record<string, string>> = {
  'package.json': "Copy another service's, with its own name and dependencies",
  'functions.yml': "Describe its functions, queues and tables, as another service's does",
  '.env.example': 'List the variables that it reads',
  Dockerfile: 'Run npm run dockerfiles',
};
const OTHER_CODE = /^(?:functions|common|worker)\/.*\.(?:[cm]?js|jsx|tsx|[cm]ts)$/;

/** A folder is deployed by itself. */
export const foldersAreWhole: Rule = {
  name: 'each service and the worker have their manifest, an example of their environment and an image',
  breaches: ({ repository, folders }) =>
    folders.flatMap((folder) =>
      Object.entries(FILES)
        .filter(([name]) => !repository.has(`${folder}/${name}`))
        .map(([name, expected]) => ({ at: { file: folder }, found: `it has no ${name}`, expected })),
    ),
};

/** The rules, the compiler and the linter see all code. */
export const codeIsTypeScript: Rule = {
  name: 'code that is deployed is in .ts files',
  breaches: ({ repository: { files } }) =>
    files
      .filter((path) => OTHER_CODE.test(path))
      .map((file) => ({
        at: { file },
        found: 'these rules do not read it',
        expected: 'Call it .ts, and write it as an ES module',
      })),
};

/** The rules can read all code. */
export const codeIsRead: Rule = {
  name: 'code is TypeScript that can be read',
  breaches: ({ repository }) =>
    repository.files
      .filter((path) => isDeployed(path) && path.endsWith('.ts'))
      .flatMap((path) => unreadable(repository, path)),
};

function unreadable(repository: Repository, file: string): Breach[] {
  try {
    repository.sourceAt(file);
    return [];
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    const [, line, found = error.message] = /^[^:]+:(\d+): ([^]*)$/.exec(error.message) ?? [];
    const at = { file, line: Number(line) };
    return [{ at, found, expected: 'Correct it: until then, rules that need the code are not checked' }];
  }
}

/** A name says what a file is about. */
export const filesHaveNames: Rule = {
  name: 'files have names that say something',
  breaches: ({ repository: { files } }) =>
    emptyNames(files.filter((path) => /^(functions|common|worker)\//.test(path))),
};

/** The files whose names say nothing. */
export function emptyNames(files: readonly string[]): Breach[] {
  return files
    .filter((path) => /(^|\/)(utils?|helpers?|misc|manager)\.[a-z]+$/.test(path))
    .map((file) => ({
      at: { file },
      found: 'its name says nothing of what is in it',
      expected: 'Name it after the noun that it is about',
    }));
}
