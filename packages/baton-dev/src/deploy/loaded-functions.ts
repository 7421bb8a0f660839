// Loads the functions of a deploy on this machine, before AWS does: so a function that cannot start stops the deploy, and
// the API's routes are known.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Permits } from 'baton-tasks/service';
import type { Part } from '../stack/part.ts';
import type { FunctionDefinition } from '../stack/serverless.ts';
import { StackError } from '../stack/stack-error.ts';
import { secretsOf } from './secrets.ts';
import type { DeclaredRoute, LoadReport } from './load-function.ts';

const PROGRAM = fileURLToPath(new URL('./load-function.ts', import.meta.url));
const TIMEOUT_MS = 60_000;
const MAX_SHOWN_CHARACTERS = 2000;
/** A value that CloudFormation fills in. */
const REFERENCE = /\{\{resolve:/;
/** A variable whose value is a parameter of the deploy. */
const PARAMETER = /^\$\{param:([^,}]+)/;
/** What only AWS knows, for functions that look at its form. */
const STAND_INS: Readonly<Record<string, string>> = {
  QUEUE_URL_PREFIX: 'https://sqs.us-east-1.amazonaws.com/123456789012/baton-',
};

/** Configures the loading of functions. */
export interface LoadOptions {
  /** The folder of serverless.yml. */
  readonly root: string;
  readonly functions: Readonly<Record<string, FunctionDefinition>>;
  /** The environment of all functions. */
  readonly environment: Readonly<Record<string, unknown>>;
  readonly region: string;
  /** The contents of each functions.yml: they say which variable is which parameter. */
  readonly parts: ReadonlyMap<string, Part>;
}

/**
 * Loads each function in a process of its own, in the environment of its deploy. Resolves to the routes of each API.
 *
 * @throws StackError that names a function which cannot start, and what it said
 */
export async function loadFunctions(options: LoadOptions): Promise<Map<string, readonly DeclaredRoute[]>> {
  const entries = Object.entries(options.functions);
  const reports = await new Permits(availableParallelism()).map(entries, async ([name, definition]) => {
    const { routes } = await loadFunction(name, definition, options);
    return routes ? [[name, routes] as const] : [];
  });
  return new Map(reports.flat());
}

async function loadFunction(
  name: string,
  { handler, environment }: FunctionDefinition,
  options: LoadOptions,
): Promise<LoadReport> {
  const parameters = parametersOf(name, options.parts);
  const { known, unknown } = valuesOf({ ...options.environment, ...environment }, parameters);
  const child = fork(PROGRAM, [handler], {
    cwd: options.root,
    env: { ...baseOf(options), ...known },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    timeout: TIMEOUT_MS,
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < MAX_SHOWN_CHARACTERS) said += text;
  });
  let report: LoadReport | undefined;
  child.once('message', (message) => (report = message as LoadReport));
  await once(child, 'close');
  if (report) return report;
  const secrets = secretsOfFunction(name, options.parts);
  throw new StackError(whyNotLoaded({ name, handler, said, unknown, known, parameters, secrets }));
}

/** What a process needs beside the variables of its function. Nothing comes from this machine's environment. */
function baseOf({ root, region }: LoadOptions): Record<string, string | undefined> {
  const { PATH, HOME } = process.env;
  const NODE_COMPILE_CACHE = join(root, 'node_modules/.cache/compiled');
  const credentials = { AWS_ACCESS_KEY_ID: 'none', AWS_SECRET_ACCESS_KEY: 'none' };
  return { PATH, HOME, NODE_COMPILE_CACHE, AWS_REGION: region, ...credentials };
}

/** The variables of a function that are parameters of the deploy. */
type Parameters = ReadonlyMap<string, { readonly name: string; readonly local: string | undefined }>;

function parametersOf(functionName: string, parts: LoadOptions['parts']): Parameters {
  return new Map(
    [...parts.values()].flatMap(({ functions, parameters }) =>
      Object.entries(functions?.[functionName]?.environment ?? {}).flatMap(([variable, value]) => {
        const name = PARAMETER.exec(String(value))?.[1];
        if (name === undefined) return [];
        const parameter = parameters?.[name];
        return [[variable, { name, local: typeof parameter === 'object' ? parameter.local : undefined }]];
      }),
    ),
  );
}

/** The secrets of a function, and their parameters. */
function secretsOfFunction(functionName: string, parts: LoadOptions['parts']): [string, string][] {
  return [...parts.values()].flatMap(({ functions }) =>
    Object.entries(secretsOf(functions?.[functionName]?.access)),
  );
}

/** The values of variables, as far as this machine knows them: in place of a reference, the local value of its parameter. */
function valuesOf(environment: Readonly<Record<string, unknown>>, parameters: Parameters) {
  const known: Record<string, string> = {};
  const unknown: string[] = [];
  for (const [variable, value] of Object.entries(environment)) {
    const plain = ['string', 'number', 'boolean'].includes(typeof value) && !REFERENCE.test(String(value));
    const used = plain ? String(value) : (parameters.get(variable)?.local ?? STAND_INS[variable]);
    if (used === undefined) unknown.push(variable);
    else known[variable] = used;
  }
  return { known, unknown };
}

interface Failure {
  readonly name: string;
  readonly handler: string;
  readonly said: string;
  readonly unknown: readonly string[];
  readonly known: Readonly<Record<string, string>>;
  readonly parameters: Parameters;
  readonly secrets: readonly (readonly [variable: string, parameter: string])[];
}

function whyNotLoaded({ name, handler, said, unknown, known, parameters, secrets }: Failure): string {
  const named = (variable: string): boolean => new RegExp(`^ *${variable} `, 'm').test(said);
  const file = `${dirname(handler)}/functions.yml`;
  const unread = unknown.find(named);
  if (unread !== undefined)
    return `${file}: the value of ${unread} is known on AWS alone, and ${name} does not start without one: expected its parameter to have a "local" value, with which ${handler} can be read here`;
  const empty = [...parameters].filter(([variable]) => known[variable] === '' && named(variable));
  const missing = [
    ...empty.map(([, parameter]) => parameter.name),
    ...secrets.filter(([variable]) => named(variable)).map(([, parameter]) => parameter),
  ];
  const give = missing.map((parameter) => `--param="${parameter}=..."`).join(' or ');
  const expected = give === '' ? `expected ${file} to give it what it needs` : `expected ${give}`;
  return `The function ${name} would not start on AWS: ${expected}.\n${said.trim().slice(0, MAX_SHOWN_CHARACTERS)}`;
}
