import { parse } from 'yaml';
import { lineIn } from '../stack/yaml-line.ts';
import { StackError } from '../stack/stack-error.ts';
import type { Rule } from './rule.ts';

const FILE = 'serverless.yml';
const SERVICES = 'packages/baton-dev/src/stack/services.js';

/** Every functions.yml and the contracts go together. */
export const stackIsDescribed: Rule = {
  name: 'every functions.yml is understood, and goes with the contracts',
  breaches: (tree) => {
    try {
      void tree.stack;
      return [];
    } catch (error) {
      if (!(error instanceof StackError)) throw error;
      const [, file = 'functions', problem = error.message] =
        /^(\S+\.yml): ([^]*)$/.exec(error.message) ?? [];
      const expected = 'Correct it: until then, rules that need the stack are not checked';
      return [{ at: { file }, found: problem, expected }];
    }
  },
};

/** A new service needs no line in a file of all. */
export const serverlessNamesNoService: Rule = {
  name: 'serverless.yml collects services and names none',
  breaches: ({ repository }) => {
    const text = repository.textOf(FILE);
    const members = parse(text, { logLevel: 'silent' }) as Readonly<Record<string, unknown>>;
    return ['functions', 'resources']
      .filter((name) => members[name] !== `\${file(./${SERVICES}):${name}}`)
      .map((name) => ({
        at: { file: FILE, line: lineIn(text, [name]) },
        found: `its ${name} are not those that the services' functions.yml describe`,
        expected: `Write ${name}: \${file(./${SERVICES}):${name}}, and describe your own in the functions.yml of a service`,
      }));
  },
};
