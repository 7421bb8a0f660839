// Calls from service to service, which are forbidden.
import type { Source } from '../sources/source.ts';
import { packageOf } from '../sources/workspaces.ts';
import { WORKER_FOLDER } from '../stack/names.ts';
import type { Breach, Rule } from './rule.ts';
import type { OwnFunction, Tree } from './tree.ts';

const EXPECTED =
  'Ask the other service by a task: send its contract, and be told the end by onEnd (docs/guide.md, "A contract")';
/** Behind them is a service of this repository. */
const THIS_MACHINE = [
  'localhost',
  '127\\.0\\.0\\.1',
  '0\\.0\\.0\\.0',
  '\\[::1\\]',
  'host\\.docker\\.internal',
];
/** The API of this stack, as a functions.yml names it. */
const OWN_API = /\$\{HttpApi\}|"(?:HttpApi|ApiGatewayRestApi)"/;
/** Clients that invoke the function of another service. */
const INVOKING: ReadonlySet<string> = new Set(['@aws-sdk/client-lambda']);

/**
 * A service asks another for work by a task, never by a call.
 *
 * Calls of the outside (a payment provider, a carrier) are allowed, by `fetch` or any client. Refused is what another
 * service is called by: its address in code or in functions.yml, a variable named after it, and a client that invokes
 * functions. Not seen is an address that is put together of parts, or that a deploy sets.
 */
export const servicesDoNotCall: Rule = {
  name: 'services do not call each other: what they want of one another is a task',
  breaches: (tree) => {
    const address = addressPattern(tree);
    return [
      ...tree.deployed.flatMap(({ path }) => addressesIn(tree, path, address)),
      ...tree.deployed.flatMap(invokersIn),
      ...tree.functions.flatMap((own) => givenAddresses(tree, own, address)),
    ];
  },
};

function addressesIn(tree: Tree, file: string, address: RegExp): Breach[] {
  const { texts, members, properties } = tree.repository.codeAt(file);
  const variable = variablePattern(tree, file);
  const found = [
    ...texts.flatMap(({ text, line }) => {
      const [part] = address.exec(text) ?? variable.exec(text) ?? [];
      return part === undefined ? [] : [{ part, line }];
    }),
    ...[...members, ...properties].flatMap(({ text, line }) => {
      const [part] = variable.exec(text.slice(text.lastIndexOf('.') + 1)) ?? [];
      return part === undefined ? [] : [{ part, line }];
    }),
  ];
  return found.map(({ part, line }) => ({
    at: { file, line },
    found: `it has ${part}, the address of a service of this repository`,
    expected: EXPECTED,
  }));
}

function invokersIn({ path: file, imports }: Source): Breach[] {
  return imports
    .filter(({ request }) => INVOKING.has(packageOf(request)))
    .map(({ request, line }) => ({
      at: { file, line },
      found: `it imports ${request}, which calls functions`,
      expected: EXPECTED,
    }));
}

function givenAddresses(tree: Tree, own: OwnFunction, address: RegExp): Breach[] {
  const variable = variablePattern(tree, `${own.folder}/functions.yml`);
  return Object.entries(own.environment ?? {})
    .filter(([name, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      return address.test(text) || OWN_API.test(text) || variable.test(name);
    })
    .map(([name]) => ({
      at: tree.placeOf(own, 'environment', name),
      found: `${name} of ${own.name} is the address of a service of this repository`,
      expected: EXPECTED,
    }));
}

/** Matches an address that leads to this machine, or to a service's container by its name. */
function addressPattern({ folders }: Tree): RegExp {
  const containers = [...folders.map(nameOf), 'gateway'].join('|');
  const hosts = [...THIS_MACHINE, containers].join('|');
  return new RegExp(
    `\\b(?:https?|wss?)://(?:[^\\s/@]*@)?(?:${hosts})(?![\\w.-])[^\\s"'\`]*|^(?:${containers}):\\d+$`,
    'i',
  );
}

/** Matches a variable that is named after the address of a service other than a file's own: `PAYMENTS_SERVICE_URL`. */
function variablePattern({ folders }: Tree, file: string): RegExp {
  const others = folders
    .filter((folder) => folder !== WORKER_FOLDER && !file.startsWith(`${folder}/`))
    .map((folder) => nameOf(folder).replaceAll('-', '_').toUpperCase());
  // With no other service, nothing is named after one
  const names = others.length > 0 ? others.join('|') : '(?!)';
  return new RegExp(`^(?:${names})_(?:BASE_|API_)?(?:URL|URI|HOST|HOSTNAME|ADDRESS|ENDPOINT|ORIGIN|PORT)$`);
}

function nameOf(folder: string): string {
  return folder.slice(folder.lastIndexOf('/') + 1);
}
