// The stack as a whole.
import { parse } from 'yaml';
import { lineIn } from '../stack/yaml-line.ts';
import { queuesOf } from '../stack/queues.ts';
import { tablesOf } from '../stack/tables.ts';
import { StackError } from '../stack/stack-error.ts';
import type { Rule } from './rule.ts';
import { type Place, STAGE_PREFIX, type Tree } from './tree.ts';

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
      const [, file, found = error.message] = /^(\S+\.yml): ([^]*)$/.exec(error.message) ?? [];
      const at = file === undefined ? placeOf(error.message, tree) : { file };
      return [
        {
          at,
          found: found.trim(),
          expected: 'Correct it: until then, rules that need the stack are not checked',
        },
      ];
    }
  },
};

/** The place of something that a message names: a resource, a function or a contract. */
function placeOf(message: string, tree: Tree): Place {
  const words = new Set(message.match(/[\w-]+(?:\.[\w-]+)*/g));
  const isNamed = (name: string): boolean => words.has(name) || message.startsWith(`${name}.`);
  for (const [folder, { functions, resources }] of [...tree.parts].toReversed()) {
    const id = Object.keys(resources?.Resources ?? {}).find(isNamed);
    if (id !== undefined) return tree.placeIn(folder, 'resources', 'Resources', id);
    const name = Object.keys(functions ?? {}).find(isNamed);
    if (name !== undefined) return tree.placeOf({ folder, name });
  }
  const contract = tree.contracts.find(({ name }) => isNamed(name));
  return contract ? tree.placeOfContract(contract) : { file: 'functions' };
}

/** Two stages share nothing. */
export const namesHaveStage: Rule = {
  name: 'queues and tables have names of their stage',
  breaches: (tree) =>
    [
      ...queuesOf(tree.stack.resources).map(({ id, name }) => ({ id, name, member: 'QueueName' })),
      ...tablesOf(tree.stack.resources).map(({ id, name }) => ({ id, name, member: 'TableName' })),
    ]
      .filter(({ id, name }) => tree.ownerOf(id) !== undefined && !name.startsWith(STAGE_PREFIX))
      .map(({ id, name, member }) => ({
        at: tree.placeOfResource(id, 'Properties', member),
        found: `${id} is called ${name} in every stage`,
        expected: `Write ${member}: baton-\${sls:stage}-${name.replace(/^baton-/, '')}`,
      })),
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
