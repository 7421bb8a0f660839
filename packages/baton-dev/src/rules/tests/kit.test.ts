import { describe, expect, test } from '@jest/globals';
import type { Repository } from '../../sources/repository.ts';
import { accessCoversTasks, accessIsUnderstood } from '../access.ts';
import { codeIsRead } from '../folders.ts';
import { importsPointOneWay } from '../imports.ts';
import { queuesHaveDeadLetters } from '../queues.ts';
import { brokenBy } from '../rule.ts';
import { rules } from '../rules.ts';
import { stackIsDescribed } from '../stack.ts';
import { brokenAccess } from './broken-access.ts';
import { brokenCode } from './broken-code.ts';
import { brokenConsumers } from './broken-consumers.ts';
import { brokenFiles } from './broken-files.ts';
import { brokenServices } from './broken-services.ts';
import { brokenStack } from './broken-stack.ts';
import { own, OWN, SERVICE } from './broken.ts';
import * as packing from './packing.ts';
import { type Changes, sampleTree } from './sample-tree.ts';

/** A package of one's own beside the library, which a service lists. */
const SHARED = {
  'packages/money/package.json': '{ "name": "@own/money", "exports": { ".": "./money.ts" } }',
  'packages/money/money.ts': '/** Money. */\nexport const money = () => 1;\n',
  [`${SERVICE}/package.json`]: ['"zod": "*"', '"zod": "*", "@own/money": "*"'],
} as const;
/** A function that defines contracts, which other lines export. */
const FACTORY = `import { defineTask } from 'baton-tasks';

function made(name) {
  return defineTask({ name });
}
`;

const all = Object.values(rules).flat();
const broken = [
  ...brokenCode,
  ...brokenServices,
  ...brokenStack,
  ...brokenConsumers,
  ...brokenAccess,
  ...brokenFiles,
];

/** A text with the numbers of the lines that it means by their texts. */
function numbered(line: string, repository: Repository): string {
  return line.replaceAll(/([^\s:]+):\{([^]+?)\}(?=: |\. )/g, (_whole, path: string, part: string) => {
    const text = repository.textOf(path);
    const before = text.slice(0, text.indexOf(part) + part.length - 1);
    return `${path}:${text.includes(part) ? before.split('\n').length : part}`;
  });
}

describe('a service of the scaffold, and a task that the worker runs', () => {
  const tree = sampleTree();

  test.each(all)('keep the rule: $name', (rule) => {
    expect(brokenBy(rule, tree)).toEqual([]);
  });
});

describe('a rule names the file, the line, what is wrong and what to write', () => {
  test.each(broken)('if $mistake', ({ rule, changes, options, says }) => {
    const tree = sampleTree(changes, options);
    const expected = says.map((line) => numbered(line, tree.repository));
    expect(brokenBy(rule, tree).toSorted()).toEqual(expected.toSorted());
  });

  test('and once alone, whatever other rules need of it', () => {
    const unread = sampleTree(own('const = 1;'));
    expect(all.filter((rule) => brokenBy(rule, unread).length > 0)).toEqual([codeIsRead]);
    const undescribed = sampleTree({ [`${SERVICE}/functions.yml`]: 'functons: {}' });
    expect(all.filter((rule) => brokenBy(rule, undescribed).length > 0)).toEqual([stackIsDescribed]);
    for (const request of [
      '../task-service/service.ts',
      '../task-service/service',
      '@baton/task-service/service',
    ]) {
      const importing = sampleTree(own(`import '${request}';`));
      expect(all.filter((rule) => brokenBy(rule, importing).length > 0)).toEqual([importsPointOneWay]);
    }
    const noAccess = sampleTree({ [`${SERVICE}/functions.yml`]: ['    access:', '    acess:'] });
    expect(all.filter((rule) => brokenBy(rule, noAccess).length > 0)).toEqual([accessIsUnderstood]);
  });

  test('also if all queues are allowed, and a queue that code sends to has no dead letters', () => {
    const sending = {
      ...packing.implemented,
      [OWN]:
        "import { pack } from '@baton/common/contracts/packing';\nexport const ask = () => tasks.send(pack, {});\n",
      [`${SERVICE}/handlers.ts`]: [
        'export const records',
        "import { ask } from './own.ts';\nexport const asked = implement(recordSample, ask);\nexport const records",
      ] as const,
    };
    const queue: readonly [string, string] = [
      packing.QUEUE[0],
      packing.QUEUE[1].replace(/ +RedrivePolicy.*\n/, ''),
    ];
    const tree = sampleTree(
      { ...packing.file, ...sending, 'worker/functions.yml': queue },
      packing.running(packing.contract()),
    );
    const found = all.filter((rule) => brokenBy(rule, tree).length > 0);
    expect(found.filter((rule) => rule === accessCoversTasks || rule === queuesHaveDeadLetters)).toEqual([
      queuesHaveDeadLetters,
    ]);
  });

  test('whichever it is', () => {
    const unseen = all.filter((rule) => !broken.some((each) => each.rule === rule));
    expect(unseen.map(({ name }) => name)).toEqual([]);
  });
});

describe('code that does no harm breaks no rule', () => {
  test.each<[string, Changes]>([
    [
      'a call of the outside',
      own("export const charge = () => fetch('https://api.provider.example/charges');"),
    ],
    ['a client of the outside', own("import { request } from 'node:https';\nrequest('https://a.example');")],
    ['a package that services share', { ...SHARED, ...own("import { money } from '@own/money';\nmoney();") }],
    ['contracts made by a function', { 'common/contracts/made.ts': FACTORY }],
    [
      'an image with its digest',
      {
        [`${SERVICE}/Dockerfile`]: ['-bookworm-slim\n', `-bookworm-slim@sha256:${'a'.repeat(64)}\n`],
      },
    ],
    ['types of another file', own("export type Row = import('./store.ts').SampleRow;")],
  ])('%s', (_what, changes) => {
    const tree = sampleTree(changes);
    const found = all.flatMap((rule) => brokenBy(rule, tree));
    expect(found).toEqual([]);
  });
});
