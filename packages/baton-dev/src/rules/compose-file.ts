// The compose file, docker-compose.localstack.yml.
import { parse } from 'yaml';
import type { Repository } from '../sources/repository.ts';
import { WORKER, WORKER_FOLDER } from '../stack/names.ts';
import { DEFAULT_TIMEOUT_SECONDS } from '../stack/serverless.ts';
import { lineIn } from '../stack/yaml-line.ts';
import { type Breach, type Rule, unless } from './rule.ts';
import type { Tree } from './tree.ts';

const FILE = 'docker-compose.localstack.yml';
const EXAMPLE = '.env.example';
const GATEWAY = 'gateway';
/** The longest time of a worker's stop beyond its drain and its waits: four times 5 s, and a reserve of 3 s. */
const RELEASE_SECONDS = 23;
/** `npm start` has more room, and .env.example says so. */
const DIFFERS = 'WORKER_CONCURRENCY';

/** An entry of the compose file, with what it merges. */
interface Entry {
  readonly build?: { readonly dockerfile?: string; readonly target?: string };
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly deploy?: { readonly resources?: { readonly limits?: Readonly<Record<string, unknown>> } };
  readonly logging?: { readonly options?: Readonly<Record<string, unknown>> };
  readonly stop_grace_period?: string;
  readonly [member: string]: unknown;
}

/** The entries of the compose file, by their names. */
export function composeEntries(repository: Repository): Readonly<Record<string, Entry>> {
  const { services = {} } = parse(repository.textOf(FILE), { merge: true }) as {
    services?: Record<string, Entry>;
  };
  return services;
}

/** Containers run all that is deployed. */
export const composeRunsFolders: Rule = {
  name: 'the compose file runs every service and the worker from their own images',
  breaches: (tree) => {
    const entries = composeEntries(tree.repository);
    return tree.folders.flatMap((folder) => {
      const name = nameOf(folder);
      const { dockerfile, target } = entries[name]?.build ?? {};
      if (dockerfile === `${folder}/Dockerfile` && target === 'server') return [];
      return [
        {
          at: placeOf(tree, name, 'build'),
          found: entries[name] ? `${name} is not built from ${folder}/Dockerfile` : `it has no entry ${name}`,
          expected: `Write ${name} as another service is, with build: { context: ., dockerfile: ${folder}/Dockerfile, target: server, args: *args }`,
        },
      ];
    });
  },
};

/** A container that fails harms no other. */
export const composeIsBounded: Rule = {
  name: 'the compose file restarts each container, within limits, without rights and with a log that ends',
  breaches: (tree) =>
    everyEntry(tree, ({ restart, cap_drop, security_opt, privileged, deploy, logging, build }) => {
      const { cpus, memory, pids } = deploy?.resources?.limits ?? {};
      const { 'max-size': size, 'max-file': count } = logging?.options ?? {};
      return [
        [restart === 'unless-stopped', 'is not restarted after a crash', 'restart: unless-stopped'],
        [String(cap_drop) === 'ALL', 'has capabilities', 'cap_drop: [ALL]'],
        [
          String(security_opt) === 'no-new-privileges:true',
          'can gain rights',
          "security_opt: ['no-new-privileges:true']",
        ],
        [privileged === undefined, 'is privileged', 'no privileged'],
        [
          typeof cpus === 'string' && typeof memory === 'string',
          'has no limits',
          "deploy: { resources: { limits: { cpus: '1', memory: 256M, pids: 100 } } }",
        ],
        [!build || typeof pids === 'number', 'has no limit of processes', 'pids: 100 under its limits'],
        [
          typeof size === 'string' && typeof count === 'string',
          'has a log without end',
          "logging: { driver: json-file, options: { max-size: 10m, max-file: '3' } }, or <<: *container",
        ],
      ];
    }),
};

/** Only this machine reaches the system, and only what is meant to be called. */
export const composePublishesServices: Rule = {
  name: 'the compose file publishes the gateway and the services to this machine alone, and all else to nobody',
  breaches: (tree) => {
    const withRoutes = tree.functions.filter(({ events = [] }) => events.some((each) => 'httpApi' in each));
    const callable = new Set([...withRoutes.map(({ folder }) => nameOf(folder)), GATEWAY]);
    const isInternal = /^ {2}internal: \{ internal: true \}$/m.test(tree.repository.textOf(FILE));
    const entries = everyEntry(tree, ({ ports = [], networks = [] }, name) => [
      [
        ports.length === (callable.has(name) ? 1 : 0),
        `is published at ${ports.join(' and ') || 'no port'}`,
        callable.has(name) ? `ports: ['127.0.0.1:\${${variableOf(name)}_PORT:-8000}:8000']` : 'no ports',
      ],
      [
        ports.every((port) => /^127\.0\.0\.1:\$\{\w+:-\d+\}:\d+$/.test(port)),
        'is published to other machines, or at a port that cannot be set or has no default',
        `ports: ['127.0.0.1:\${${variableOf(name)}_PORT:-8000}:8000']`,
      ],
      [
        String(networks) === (callable.has(name) ? 'internal,edge' : 'internal'),
        `is on the networks ${networks.join(', ')}`,
        `networks: [${callable.has(name) ? 'internal, edge' : 'internal'}]`,
      ],
    ]);
    const network: Breach[] = isInternal
      ? []
      : [
          {
            at: placeIn(tree, 'networks', 'internal'),
            found: 'the network internal has a way out',
            expected: 'Write internal: { internal: true }',
          },
        ];
    return [...entries, ...network];
  },
};

/** A service is added without a change of others. */
export const composeEntriesAreAlone: Rule = {
  name: 'no entry of the compose file names a service or the worker, except its own',
  breaches: (tree) =>
    tree.folders.map(nameOf).flatMap((name) =>
      Object.entries(composeEntries(tree.repository))
        .filter(([other, entry]) => other !== name && JSON.stringify(entry).includes(name))
        .map(([other]) => ({
          at: placeOf(tree, other),
          found: `the entry ${other} names ${name}`,
          expected: `Delete it: what ${other} wants of ${name} is a task`,
        })),
    ),
};

/** Requests and tasks can end before a container is killed. */
export const composeWaits: Rule = {
  name: 'the compose file waits longer at a stop than what is under way may take',
  breaches: (tree) => {
    const { environment = {} } = composeEntries(tree.repository)[WORKER_FOLDER] ?? {};
    const secondsOf = (name: string): number => Number(environment[name]);
    const wait = Math.max(secondsOf('WORKER_ABORT_GRACE_SECONDS'), secondsOf('WORKER_WAIT_SECONDS'));
    const stop = secondsOf('WORKER_DRAIN_TIMEOUT_SECONDS') + wait + RELEASE_SECONDS;
    const { [WORKER]: _worker, ...others } = tree.stack.functions;
    const longest = Math.max(
      ...Object.values(others).map(({ timeout = DEFAULT_TIMEOUT_SECONDS }) => timeout),
    );
    const services = tree.folders.map(nameOf);
    return everyEntry(tree, ({ stop_grace_period: period = '' }, name) => {
      if (![...services, GATEWAY].includes(name)) return [];
      const least = name === WORKER_FOLDER ? stop : longest;
      return [
        [
          parseInt(period, 10) > least,
          `is ended ${period || '10s'} after a stop, and what is under way may take ${least} s`,
          `stop_grace_period: ${least + 10}s`,
        ],
      ];
    });
  },
};

/** One list has all variables that can be set, with their defaults. */
export const composeVariablesAreListed: Rule = {
  name: 'the variables of the compose file are in .env.example, with the same defaults and a port for each service',
  breaches: ({ repository }) => {
    const example = repository.textOf(EXAMPLE).split('\n');
    const found = variablesOf(repository.textOf(FILE));
    return found.flatMap(({ name, value, at }, index) => {
      const isListed = example.some((line) => line.replace(/^# /, '').startsWith(`${name}=`));
      const isAlike = value === '' || name === DIFFERS || example.includes(`${name}=${value}`);
      const other = found
        .slice(0, index)
        .find((each) => name.endsWith('_PORT') && each.name.endsWith('_PORT') && each.value === value);
      return [
        unless(isListed && isAlike, {
          at,
          found: `${EXAMPLE} does not list ${name}${isListed ? ` with the default ${value}` : ''}`,
          expected: `Write ${name}=${value} there`,
        }),
        unless(other === undefined, {
          at,
          found: `${name} and ${other?.name} have the port ${value}`,
          expected: 'Give one of them another port',
        }),
      ].flat();
    });
  },
};

/** The variables that a text names, `${NAME}` or `${NAME:-default}`. */
function variablesOf(text: string) {
  return text.split('\n').flatMap((line, index) =>
    [...line.matchAll(/\$\{(\w+)(?::-([^}]*))?/g)].map(([, name = '', value = '']) => ({
      name,
      value,
      at: { file: FILE, line: index + 1 },
    })),
  );
}

/** The worker learns which functions consume queues, and all learn the secret that opens them. */
export const composeSharesEventSources: Rule = {
  name: 'only resources writes what containers share in the compose file, and the worker starts again with new event sources',
  breaches: (tree) => {
    const readers = [...tree.folders.map(nameOf), GATEWAY].map((name) => [name, 'shared:/run/baton:ro']);
    const volumes: Readonly<Record<string, string>> = {
      ...Object.fromEntries(readers),
      resources: 'shared:/run/baton',
    };
    return everyEntry(tree, ({ volumes: own = [], depends_on: after = {} }, name) => {
      const { condition, restart } = after['resources'] ?? {};
      const expected = volumes[name];
      return [
        [
          String(own) === (expected ?? ''),
          `has the volumes ${own.join(', ') || 'none'}`,
          expected === undefined ? 'no volumes' : `volumes: ['${expected}']`,
        ],
        [
          name !== WORKER_FOLDER || (condition === 'service_healthy' && restart === true),
          'keeps old event sources',
          'depends_on: { resources: { condition: service_healthy, restart: true } }',
        ],
      ];
    });
  },
};

/** Whether something is right, what is wrong otherwise, and what to write. */
type Check = readonly [boolean, string, string];

function everyEntry(tree: Tree, checks: (entry: Entry, name: string) => readonly Check[]): Breach[] {
  return Object.entries(composeEntries(tree.repository)).flatMap(([name, entry]) =>
    checks(entry, name)
      .filter(([isRight]) => !isRight)
      .map(([, found, expected]) => ({
        at: placeOf(tree, name),
        found: `${name} ${found}`,
        expected: `Write ${expected} in its entry`,
      })),
  );
}

function placeOf(tree: Tree, name: string, ...path: readonly string[]) {
  return placeIn(tree, 'services', name, ...path);
}

function placeIn({ repository }: Tree, ...path: readonly string[]) {
  return { file: FILE, line: lineIn(repository.textOf(FILE), path) };
}

function nameOf(folder: string): string {
  return folder.slice(folder.lastIndexOf('/') + 1);
}

function variableOf(name: string): string {
  return name.replaceAll('-', '_').toUpperCase();
}
