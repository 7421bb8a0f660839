// Environment variables: who reads them, and where they are listed.
import { parse } from 'yaml';
import { secretsOf } from '../deploy/secrets.ts';
import { type AstNode, nodesOf } from '../sources/ast.ts';
import type { Property } from '../sources/code.ts';
import type { Repository } from '../sources/repository.ts';
import { composeEntries } from './compose-file.ts';
import { functionsWith } from './contract-uses.ts';
import { type Breach, type Rule, unless } from './rule.ts';
import { isDeployed } from './paths.ts';
import type { OwnFunction, Tree } from './tree.ts';

/** A variable's name. */
const VARIABLE = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/;
/** The functions of zod that make a schema of an object. */
const OBJECT = /^(?:object|strictObject|looseObject|extend)$/;
/** Lambda and the AWS SDK have these of their own. */
const OF_AWS = /^AWS_/;

/** Only the library reads the environment: it says which variable is wrong. */
export const environmentIsRead: Rule = {
  name: 'services and the worker do not read the environment: the library hands it to their config.ts',
  breaches: ({ repository }) =>
    environmentReads(
      repository.sourcesOf(isDeployed).map(({ path }) => path),
      repository,
    ),
};

/** Finds the places where files read the environment of their process, in any form. */
export function environmentReads(files: readonly string[], repository: Repository): Breach[] {
  // Other files need not be read again
  const suspects = files.filter((file) => repository.textOf(file).includes('process'));
  return suspects.flatMap((file) => {
    const { members, taken } = repository.codeAt(file);
    const imported = repository
      .sourceAt(file)
      .imports.filter(({ request }) => request === 'node:process' || request === 'process')
      .map(({ request, line }) => ({ text: request, line }));
    const read = [...members, ...taken].filter(({ text }) => /(^|\.)process\.env$/.test(text));
    return [...imported, ...read].map(({ text, line }) => ({
      at: { file, line },
      found: `it reads ${text}`,
      expected: "Add the variable to the schema of the service's config.ts, and read service.config",
    }));
  });
}

/** A variable is set wherever the service runs. */
export const variablesAreListed: Rule = {
  name: 'the variables of a config.ts are listed in functions.yml, in .env.example and in the compose file',
  breaches: (tree) => tree.folders.flatMap((folder) => unlisted(tree, folder)),
};

function unlisted(tree: Tree, folder: string): Breach[] {
  const { repository } = tree;
  const config = `${folder}/config.ts`;
  if (!repository.has(config)) return [];
  const service = folder.slice(folder.lastIndexOf('/') + 1);
  const ofAll = Object.keys(providerEnvironment(tree));
  const own = tree.functions.filter((each) => each.folder === folder);
  const given = new Set([...ofAll, ...own.flatMap(givenTo)]);
  const secrets = secretsIn(tree, config);
  const set = new Set([...ofAll, ...Object.keys(composeEntries(repository)[service]?.environment ?? {})]);
  const example = repository.has(`${folder}/.env.example`) ? repository.textOf(`${folder}/.env.example`) : '';
  return variablesIn(tree, config).flatMap(({ text: name, line }) => {
    const missing = (isListed: boolean, where: string, expected: string): Breach[] =>
      unless(isListed, { at: { file: config, line }, found: `it reads ${name}, and ${where}`, expected });
    return [
      missing(
        given.has(name),
        `${folder}/functions.yml gives it to no function`,
        secrets.has(name)
          ? `Write ${secretAdviceOf(name)} under the access of the functions that need it`
          : `Write ${adviceOf(name)} under the environment of the functions that need it`,
      ),
      missing(
        new RegExp(`^(# ?)?${name}=`, 'm').test(example),
        `${folder}/.env.example does not list it`,
        `Write ${name}= there, with what it means`,
      ),
      missing(
        set.has(name),
        'its entry in the compose file does not set it',
        `Write ${name} under the environment of ${service} in docker-compose.localstack.yml`,
      ),
    ].flat();
  });
}

/** A variable with the value that it usually has in a functions.yml: a table's name, or a parameter of the deploy. */
function adviceOf(variable: string): string {
  const name = variable.toLowerCase().replaceAll('_', '-');
  return name.endsWith('-table')
    ? `${variable}: baton-\${sls:stage}-${name.slice(0, -'-table'.length)}`
    : `"${name}: what it means" under parameters: at the top, and ${variable}: \${param:${name}, ''}`;
}

/** A secret as functions.yml names it: the parameter that holds its ARN. */
function secretAdviceOf(variable: string): string {
  const name = variable.toLowerCase().replaceAll('_', '-');
  return `"${name}: The ARN of the secret, and what it is for" under parameters: at the top, and secrets: { ${variable}: ${name} }`;
}

/** The variables that a function is given, as they are or by a secret. */
function givenTo({ environment, access }: OwnFunction): string[] {
  return [...Object.keys(environment ?? {}), ...Object.keys(secretsOf(access))];
}

/** A function that lacks a variable does not start. */
export const functionsHaveVariables: Rule = {
  name: 'every function is given the variables that its config.ts requires',
  breaches: (tree) =>
    tree.folders
      .map((folder) => `${folder}/config.ts`)
      .filter((config) => tree.repository.has(config))
      .flatMap((config) =>
        functionsWith(tree, config).flatMap((own) =>
          requiredIn(tree, config)
            .filter((name) => !(name in providerEnvironment(tree)) && !givenTo(own).includes(name))
            .map((name) => ({
              at: tree.placeOf(own, secretsIn(tree, config).has(name) ? 'access' : 'environment'),
              found: `${own.name} is not given ${name}, which ${config} requires: it would not start`,
              expected: secretsIn(tree, config).has(name)
                ? `Write ${secretAdviceOf(name)} under its access`
                : `Write ${adviceOf(name)} under its environment`,
            })),
        ),
      ),
};

/** The members of the objects that a config.ts makes schemas of. */
function schemaMembers(tree: Tree, config: string): readonly Property[] {
  const { calls, properties } = tree.repository.codeAt(config);
  const objects = calls
    .filter(({ name }) => OBJECT.test(name))
    .flatMap(({ arguments: [members] }) => members ?? []);
  const own = new Set(objects.flatMap((object) => (object['properties'] ?? []) as AstNode[]));
  return properties.filter(({ text, node }) => own.has(node) && VARIABLE.test(text));
}

/** The secrets of a service: the members of the schema that its config.ts calls `secrets`. */
function secretsIn(tree: Tree, config: string): ReadonlySet<string> {
  const declared = tree.repository.codeAt(config).declarations.get('secrets');
  const inside = new Set(declared ? nodesOf(declared) : []);
  const members = schemaMembers(tree, config).filter(({ node }) => inside.has(node));
  return new Set(members.map(({ text }) => text));
}

/** The variables that a config.ts reads with `text(...)`, which has no default. */
function requiredIn(tree: Tree, config: string): string[] {
  const { calls } = tree.repository.codeAt(config);
  const required = new Set<unknown>(calls.filter(({ name }) => name === 'text').map(({ node }) => node));
  return schemaMembers(tree, config)
    .filter(({ value }) => required.has(value))
    .map(({ text }) => text);
}

function variablesIn(tree: Tree, config: string): Property[] {
  const members = schemaMembers(tree, config).filter(({ text }) => !OF_AWS.test(text));
  return members.filter(({ text }, index) => members.findIndex((each) => each.text === text) === index);
}

/** The variables that serverless.yml gives all functions. */
function providerEnvironment({ repository }: Tree): Readonly<Record<string, unknown>> {
  const { provider } = parse(repository.textOf('serverless.yml'), { logLevel: 'silent' }) as {
    provider?: { environment?: Record<string, unknown> };
  };
  return provider?.environment ?? {};
}
