import { describe, expect, test } from '@jest/globals';
import { readResources, readStack } from 'baton-dev/stack/described-stack';
import { tablesOf } from 'baton-dev/stack/tables';
import { parse } from 'yaml';
import { partFolders } from 'baton-dev/stack/part';
import { fileOfImport, filesBelow, readSources, type Source, textOf } from './support/source.ts';
import { deployedFolders, manifestAt } from './support/manifests.ts';

const files = filesBelow();
const deployed = deployedFolders(files);
const sources = readSources();
const isTest = (path: string): boolean => /(^|\/)tests\//.test(path);
/** What runs in production: not tests, not tools, not the examples. */
const product = sources.filter(
  ({ path }) => /^(packages\/baton|common|functions|worker)\//.test(path) && !isTest(path),
);

/** The rooms of the library, in their order: each imports only from those before it. */
const LIBRARY_ROOMS = [
  'telemetry',
  'process',
  'time',
  'aws',
  'task',
  'sqs',
  'send',
  'run',
  'tracked',
  'http',
  'lambda',
  'worker',
  'service',
  'tooling',
  'index.ts',
  'testing',
] as const;

/** Where a file stands: a room of the library, a service, or one of the other folders at the root. */
function roomOf(path: string): string {
  if (isTest(path)) return 'tests';
  const [first = '', second = '', , third = ''] = path.split('/');
  // Manifests tell versions
  if (path.endsWith('package.json')) return 'manifest';
  if (first === 'packages') return second === 'baton' ? `library/${third}` : 'tools';
  if (first === 'functions') return `functions/${second}`;
  return first === 'common' ? `common/${second}` : first;
}

function mayImport(from: string, to: string): boolean {
  if (from === to || from === 'tests' || to === 'manifest') return true;
  const [order, target] = [from, to].map((room) =>
    LIBRARY_ROOMS.findIndex((name) => room === `library/${name}`),
  ) as [number, number];
  if (order >= 0) return target >= 0 && target < order;
  if (target >= 0) return true;
  if (to === 'common/contracts') return true;
  if (to === 'common/tasks') return from !== 'common/contracts';
  // Tools serve everything else, and nothing that is deployed needs them
  return ['tools', 'bench', 'examples'].includes(from);
}

function importedFiles(source: Source): string[] {
  return source.imports.flatMap((request) => fileOfImport(source, request) ?? []);
}

/** The bench and the rivals that it measures against: projects outside the workspaces, each with a lock of its own. */
const BENCH = 'bench/';
const RIVALS = 'bench/rivals/';
const manifests = files.filter((path) => path.endsWith('/package.json'));
/** The service that the scaffold copies: a manifest of its own, below the one of the tools. */
const TEMPLATE = 'packages/baton-dev/src/new-service/template/';

/** What a manifest's folder has of sources, without its tests; the rivals are not what the bench itself is made of. */
function sourcesBelow(folder: string): Source[] {
  return sources
    .filter(({ path }) => path.startsWith(folder) && !/\/tests\//.test(path))
    .filter(({ path }) =>
      [RIVALS, TEMPLATE].every((part) => path.startsWith(part) === folder.startsWith(part)),
    );
}

describe('imports', () => {
  test('point one way: no service knows another, common knows none of its users', () => {
    const against = sources.flatMap((source) =>
      importedFiles(source)
        .filter((target) => !mayImport(roomOf(source.path), roomOf(target)))
        .map((target) => `${source.path} -> ${target}`),
    );
    expect(against).toEqual([]);
  });

  test('lead to files that are there', () => {
    const there = new Set(files);
    const lost = sources.flatMap((source) =>
      importedFiles(source).filter((target) => !there.has(target) && !target.endsWith('package.json')),
    );
    expect(lost).toEqual([]);
  });

  test('of the library name none of the demo, and its tests bring their own contracts, queues and tables', () => {
    const DEMO = /@baton\/|['"`](functions|common|worker)\//;
    const naming = sources.filter(({ path, text }) => path.startsWith('packages/baton/') && DEMO.test(text));
    expect(naming.map(({ path }) => path)).toEqual([]);
  });

  test("of a user's code, its tests and the examples are of public entries alone", () => {
    const OWN = /^(functions|common|worker|examples|packages\/baton-dev\/src\/new-service\/template)\//;
    const PUBLIC = /^(?:baton-tasks(?:\/(?:service|http|worker|testing))?|baton-dev\/testing\/[a-z-]+)$/;
    const inside = sources
      .filter(({ path }) => OWN.test(path))
      .flatMap(({ path, imports }) =>
        imports
          .filter((request) => request.startsWith('baton-') && !PUBLIC.test(request))
          .map((request) => `${path}: ${request}`),
      );
    expect(inside).toEqual([]);
  });

  test('make no circles', () => {
    const graph = new Map(sources.map((source) => [source.path, importedFiles(source)]));
    const circles: string[] = [];
    const done = new Set<string>();
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
      if (done.has(path) || trail.includes(path)) return;
      for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
      done.add(path);
    };
    for (const { path } of sources) visit(path, []);
    expect(circles).toEqual([]);
  });

  test('across workspaces go by package name, inside one by relative path', () => {
    const workspaceOf = (path: string): string =>
      /^(functions\/[^/]+|packages\/[^/]+|[^/]+)\//.exec(path)?.[1] ?? '';
    const wrong = sources.flatMap((source) =>
      source.imports
        .filter((request) => {
          const target = fileOfImport(source, request);
          if (target === undefined) return false;
          const same = workspaceOf(source.path) === workspaceOf(target);
          return same !== request.startsWith('.') && !(same && isTest(source.path));
        })
        .map((request) => `${source.path}: ${request}`),
    );
    expect(wrong).toEqual([]);
  });

  test('are of the packages that the workspace declares, and it declares no others', () => {
    // The bench lists what nobody else here needs; Node finds all else at the root
    const { dependencies, devDependencies } = manifestAt('package.json');
    const atRoot = [
      ...Object.keys({ ...dependencies, ...devDependencies }),
      ...manifests.map((path) => manifestAt(path).name),
    ];
    const wrong = manifests.flatMap((path) => {
      const folder = path.slice(0, -'package.json'.length);
      const own = sourcesBelow(folder);
      const used = new Set(
        own.flatMap(({ imports }) => imports.filter((name) => !/^(\.|node:)/.test(name)).map(packageOf)),
      );
      const declared = Object.keys(manifestAt(path).dependencies ?? {});
      const around = new Set(['aws-lambda', ...(folder === BENCH ? atRoot : [])]);
      const missing = [...used].filter((name) => !declared.includes(name) && !around.has(name));
      // In the service that is written, its contracts stand in common
      const needless = declared.filter(
        (name) => !used.has(name) && !(folder.startsWith(TEMPLATE) && name === '@baton/common'),
      );
      return missing
        .map((name) => `${folder} lacks ${name}`)
        .concat(needless.map((name) => `${folder} needs no ${name}`));
    });
    expect(wrong).toEqual([]);
  });

  test('are resolved by the standard alone', () => {
    const TRICKS = /\bcreateRequire\b|\brequire\(|NODE_PATH|module\.paths|registerHooks|_resolveFilename/;
    expect(product.filter(({ text }) => TRICKS.test(text)).map(({ path }) => path)).toEqual([]);
    expect(product.filter(({ dynamicImports }) => dynamicImports > 0).map(({ path }) => path)).toEqual([]);
    expect(textOf('tsconfig.json')).not.toMatch(/"paths"|"baseUrl"/);
  });
});

/** The package that an import is of; `aws-lambda` has types alone, which the root brings for all. */
function packageOf(request: string): string {
  return request
    .split('/')
    .slice(0, request.startsWith('@') ? 2 : 1)
    .join('/');
}

describe('services', () => {
  test("have their routes in api.ts alone, and functions.yml maps no more than the service's prefix", async () => {
    const routing = sources.filter(
      ({ text, path }) =>
        !isTest(path) && /import \{[^}]*\b(route|createApi)\b[^}]*\} from 'baton-tasks\/http'/.test(text),
    );
    const allowed =
      /^((functions|packages\/baton-dev\/src\/new-service\/template)\/[^/]+\/api\.ts|packages\/baton-dev\/src\/embedded\/unknown-route\.ts)$/;
    expect(routing.map(({ path }) => path).filter((path) => !allowed.test(path))).toEqual([]);
    expect(routing.length).toBeGreaterThan(0);
    const { functions } = await readStack('dev');
    const events = Object.values(functions).flatMap((each) => each.events ?? []);
    const mapped = events.filter((event) => !('sqs' in event));
    const prefixes = mapped.filter(({ httpApi }) => /^ANY \/[a-z-]+(\/\{proxy\+\})?$/.test(String(httpApi)));
    expect(prefixes).toEqual(mapped);
    // For API Gateway, a path is not below itself; serverless-offline is not so strict
    const paths = mapped.map(({ httpApi }) => String(httpApi));
    const own = new Set(paths.map((path) => path.replace('/{proxy+}', '')));
    const both = [...own].flatMap((path) => [path, `${path}/{proxy+}`]);
    expect(paths.toSorted()).toEqual(both.toSorted());
    expect(mapped.length).toBeGreaterThan(0);
  });

  test('do not call each other: what they want of one another is a task', () => {
    const calling = product.filter(
      ({ path, text }) =>
        /^(functions|worker|common)\//.test(path) && /\bfetch\b|node:(https?|net)'/.test(text),
    );
    expect(calling.map(({ path }) => path)).toEqual([]);
  });

  test('know no table but their own', async () => {
    const shared = new Set(tablesOf(await readResources([], 'dev')).map(({ id }) => id));
    for (const part of partFolders()) {
      const tables = tablesOf(await readResources([part], 'dev'))
        .filter(({ id }) => !shared.has(id))
        .map(({ name }) => name.replace('baton-dev-', ''));
      const variables = tables.map((name) => `${name.replaceAll('-', '_').toUpperCase()}_TABLE`);
      const others = files.filter(
        (path) => /^(functions|worker)\//.test(path) && !path.startsWith(`${part}/`),
      );
      expect(others.filter((path) => variables.some((variable) => textOf(path).includes(variable)))).toEqual(
        [],
      );
    }
  });

  test('and the worker do not read the environment: the library hands it to their config.ts', () => {
    const reading = product.filter(({ text }) => /process\.env|from 'node:process'/.test(text));
    const allowed = /^packages\/baton\/src\/(service|worker)\//;
    expect(reading.map(({ path }) => path).filter((path) => !allowed.test(path))).toEqual([]);
  });

  test('each have their manifest, an example of their environment and an image', () => {
    for (const folder of deployed) {
      expect(files).toEqual(
        expect.arrayContaining([
          `${folder}/package.json`,
          `${folder}/functions.yml`,
          `${folder}/.env.example`,
          `${folder}/Dockerfile`,
        ]),
      );
    }
  });
});

describe('code', () => {
  test('documents every export', () => {
    const undocumented = sources
      .filter(({ path }) => !path.endsWith('.test.ts'))
      .flatMap(({ path, undocumented: names }) => names.map((name) => `${path}: ${name}`));
    expect(undocumented).toEqual([]);
  });

  test('of the library says in the first line of each file what the file is', () => {
    const inLibrary = product.filter(({ path }) => path.startsWith('packages/baton/src/'));
    expect(inLibrary.filter(({ text }) => !/^\/(\/|\*\*) \S/.test(text)).map(({ path }) => path)).toEqual([]);
    expect(inLibrary.length).toBeGreaterThan(0);
  });

  test('stays in files of at most 350 lines, with names that say something', () => {
    expect(sources.filter(({ text }) => text.split('\n').length > 350).map(({ path }) => path)).toEqual([]);
    expect(files.filter((path) => /(^|\/)(utils?|helpers?|misc|manager)\.[a-z]+$/.test(path))).toEqual([]);
  });
});

test('serverless.yml collects services and names none', () => {
  const { functions, resources } = parse(textOf('serverless.yml'), { logLevel: 'silent' }) as Record<
    string,
    unknown
  >;
  expect([functions, resources]).toEqual([
    '${file(./packages/baton-dev/src/stack/services.js):functions}',
    '${file(./packages/baton-dev/src/stack/services.js):resources}',
  ]);
});
