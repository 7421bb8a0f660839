// What serverless.yml reads: the functions, resources and API of the stack. A new service is a new folder and needs no
// line here. This file is JavaScript so that an older Node can say what it lacks; everything else is loaded after that.
import module from 'node:module';
import { resolve } from 'node:path';

/** @typedef {import('./serverless.ts').VariableSources} VariableSources */

const OLDEST_NODE = 24;

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  throw new Error(
    `Baton needs Node ${OLDEST_NODE}, this is ${process.version}. On Linux "npm ci" brings it along; elsewhere see .nvmrc.`,
  );
}

// What is loaded from here on, by Serverless too, need not be compiled again the next time
module.enableCompileCache(resolve('node_modules/.cache/compiled'));

/** @param {VariableSources} sources */
export const functions = async (sources) => (await compile(sources)).functions;

/** @param {VariableSources} sources */
export const resources = async (sources) => (await compile(sources)).resources;

/** @param {VariableSources} sources */
export const httpApi = async (sources) => {
  const { httpApiOf } = await import('../deploy/gateway.ts');
  return httpApiOf(await parametersOf(sources));
};

/** @param {VariableSources} sources */
async function compile(sources) {
  const { compileStack } = await import('../deploy/stack.ts');
  const { readStack } = await import('./described-stack.ts');
  const { resolveVariable } = sources;
  const stage = String(await resolveVariable('sls:stage'));
  return compileStack({
    described: await readStack(stage),
    parameters: await parametersOf(sources),
    stage,
    environment: /** @type {Record<string, unknown>} */ (await resolveVariable('self:provider.environment')),
  });
}

/** @param {VariableSources} sources */
async function parametersOf({ resolveVariable }) {
  const { parameterNames, readParameters } = await import('../deploy/parameters.ts');
  const { secretParametersOf } = await import('../deploy/secrets.ts');
  const { readParts } = await import('./part.ts');
  const parts = readParts(String(await resolveVariable('sls:stage')));
  const names = parameterNames(parts);
  const given = names.map(async (name) => [name, await resolveVariable(`param:${name}, null`)]);
  // Otherwise a misspelt name would count as a parameter that is not given
  const onCommandLine = /** @type {string[] | null} */ (await resolveVariable('opt:param, null')) ?? [];
  const named = onCommandLine.map((text) => [text.slice(0, text.indexOf('=')), text]);
  return readParameters(
    { ...Object.fromEntries(named), ...Object.fromEntries(await Promise.all(given)) },
    names,
    secretParametersOf(parts.values()),
  );
}
