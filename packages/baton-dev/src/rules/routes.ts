// Routes.
import { literalOf } from '../sources/ast.ts';
import type { Import, Source } from '../sources/source.ts';
import type { Breach, Rule } from './rule.ts';
import type { OwnFunction, Tree } from './tree.ts';

const HTTP = 'baton-tasks/http';
/** The names that make a route. All other names of that entry may be used anywhere. */
const MAKERS: ReadonlySet<string> = new Set(['route', 'createApi', '*']);
/** The names that make a server beside the one that serves the routes. */
const SERVERS: ReadonlySet<string> = new Set(['createServer', 'createSecureServer', 'WebSocketServer']);
const API = /^functions\/[^/]+\/api\.ts$/;
/** The paths that functions.yml maps to an API: a prefix, and everything below it. */
const MAPPED = /^ANY \/[a-z0-9-]+(\/\{proxy\+\})?$/;

/** All that is below a prefix. */
const BELOW = '/{proxy+}';

/** Routes are where a reader looks for them. */
export const routesInApi: Rule = {
  name: 'a service has its routes in api.ts alone',
  breaches: ({ repository, deployed }) =>
    deployed.flatMap((source) => {
      const servers = repository
        .codeAt(source.path)
        .calls.filter(({ name }) => SERVERS.has(name))
        .map(({ line, path }) => ({
          at: { file: source.path, line },
          found: `it makes a server of its own, by ${path}`,
          expected: "Make routes in the service's api.ts: runService serves them",
        }));
      return routesOutside(source, API.test(source.path)).concat(servers);
    }),
};

/**
 * Where a file makes routes, or hands on what makes them, in whatever form: by name, under another name, with all of the
 * entry, or by exporting it again.
 *
 * @param isApi - whether the file may make routes: then it may not hand on what makes them
 */
export function routesOutside({ path, imports }: Source, isApi: boolean): Breach[] {
  return imports
    .filter(({ request }) => request === HTTP)
    .flatMap((each) =>
      makersIn(each)
        .filter(({ exported }) => !isApi || exported !== undefined)
        .map(({ imported, exported }) => ({
          at: { file: path, line: each.line },
          found: `it ${exported === undefined ? 'imports' : 'exports'} ${imported === '*' ? 'all' : imported} of ${HTTP}`,
          expected: isApi
            ? 'Make all routes in this file: export its handler alone'
            : imported === '*'
              ? 'Import what you need by its name, and route and createApi in the api.ts of the service alone'
              : "Make the route in the service's api.ts, and import from there what it calls",
        })),
    );
}

function makersIn({ names }: Import) {
  return names.filter(({ imported }) => MAKERS.has(imported));
}

/** functions.yml knows prefixes; api.ts knows routes. */
export const prefixesAlone: Rule = {
  name: "functions.yml maps a prefix to the service's API, alone and with all that is below it",
  breaches: (tree) => [...tree.functions.flatMap((each) => mappingOf(each, tree)), ...sharedPrefixes(tree)],
};

function mappingOf(own: OwnFunction, tree: Tree): Breach[] {
  const { events = [], name } = own;
  const mapped = events
    .map((event, index) => ({ event, path: String(event.httpApi), index: String(index) }))
    .filter(({ event }) => !('sqs' in event));
  const paths = mapped.map(({ path }) => path);
  const wrong = mapped
    .filter(({ path }) => !MAPPED.test(path))
    .map(({ event, index }) => ({
      at: tree.placeOf(own, 'events', index),
      found: `${name} has the event ${JSON.stringify(event)}`,
      expected:
        'httpApi' in event
          ? "Write the service's prefix, and its routes in api.ts: - httpApi: 'ANY /payments'"
          : 'Write an sqs or httpApi event, or give a contract a schedule: nothing else runs on a laptop and in containers',
    }));
  // For API Gateway, a path is not below itself; serverless-offline is not so strict
  const missing = mapped
    .filter(({ path }) => MAPPED.test(path))
    .map(({ path, index }) => ({
      index,
      other: path.endsWith(BELOW) ? path.slice(0, -BELOW.length) : `${path}${BELOW}`,
    }))
    .filter(({ other }) => !paths.includes(other))
    .map(({ other, index }) => ({
      at: tree.placeOf(own, 'events', index),
      found: `${name} has no event '${other}', and AWS knows ${paths.join(', ')} alone`,
      expected: `Write - httpApi: '${other}' beside it`,
    }));
  return [...wrong, ...missing];
}

/** Two services with one prefix. */
function sharedPrefixes(tree: Tree): Breach[] {
  const owners = tree.functions.flatMap((own) => prefixesOf(own).map((prefix) => ({ prefix, own })));
  return owners.flatMap(({ prefix, own }, index) => {
    const other = owners.slice(0, index).find((each) => each.prefix === prefix)?.own;
    if (!other) return [];
    return [
      {
        at: tree.placeOf(own, 'events'),
        found: `/${prefix} leads to ${own.name} and to ${other.name}`,
        expected: 'Give one of them another prefix',
      },
    ];
  });
}

function prefixesOf({ events = [] }: OwnFunction): string[] {
  const found = events.flatMap(({ httpApi }) => /^ANY \/([a-z0-9-]+)/.exec(String(httpApi))?.[1] ?? []);
  return [...new Set(found)];
}

/** A route that nobody can reach is a mistake. */
export const routesBelowPrefix: Rule = {
  name: "each route is below a prefix that the service's functions.yml maps",
  breaches: (tree) =>
    tree.deployed
      .filter(({ path }) => API.test(path))
      .flatMap(({ path }) => {
        const folder = path.slice(0, -'/api.ts'.length);
        const prefixes = tree.functions.filter((own) => own.folder === folder).flatMap(prefixesOf);
        return routesIn(tree, path)
          .filter(({ route }) => !prefixes.includes(route.split('/')[1] ?? ''))
          .map(({ route, line }) => ({
            at: { file: path, line },
            found: `the route ${route} is below no prefix of ${folder}/functions.yml (${prefixes.map((each) => `/${each}`).join(', ') || 'none'})`,
            expected: `Begin it with one of them, or write the events 'ANY /${route.split('/')[1]}' and 'ANY /${route.split('/')[1]}/{proxy+}' there`,
          }));
      }),
};

function routesIn({ repository }: Tree, path: string) {
  const [route = 'route'] = repository
    .sourceAt(path)
    .imports.filter(({ request }) => request === HTTP)
    .flatMap(({ names }) => names.filter(({ imported }) => imported === 'route').map(({ local }) => local));
  return repository
    .codeAt(path)
    .calls.filter((call) => call.path === route)
    .flatMap(({ arguments: [, path_], line }) => {
      const text = literalOf(path_);
      return text === undefined ? [] : [{ route: text, line }];
    });
}
