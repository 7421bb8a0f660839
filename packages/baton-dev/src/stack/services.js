// Finds the parts of the stack, so that a new service is a new folder and no edit here: every functions/*/functions.yml,
// the worker's, and what all share. serverless.yml reads this file; deploy/ makes the stack of what the parts say.
import { existsSync, readdirSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

/** @typedef {{ resolveVariable: (variable: string) => Promise<unknown> }} Serverless */

const OLDEST_NODE = 24;

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  throw new Error(
    `Baton needs Node ${OLDEST_NODE}, this is ${process.version}. On Linux "npm ci" brings it along; elsewhere see .nvmrc.`,
  );
}

const root = fileURLToPath(new URL('../../../..', import.meta.url));
// What is loaded from here on, by Serverless too, need not be compiled anew the next time
module.enableCompileCache(`${root}node_modules/.cache/compiled`);
const parts = readdirSync(`${root}functions`)
  .toSorted()
  .map((service) => `functions/${service}/functions.yml`)
  .filter((file) => existsSync(root + file))
  .concat('worker/functions.yml', 'common/resources.yml');

/** @param {Serverless} serverless */
export const functions = async (serverless) => (await compile(serverless)).functions;

/** @param {Serverless} serverless */
export const resources = async (serverless) => (await compile(serverless)).resources;

/** @param {Serverless} serverless */
export const httpApi = async (serverless) => {
  const { httpApiOf } = await import('../deploy/gateway.ts');
  return httpApiOf(await parametersOf(serverless));
};

/** @param {Serverless} serverless */
async function compile(serverless) {
  // Not at the top, where an older Node would fail at their types before it is told so above
  const { lanedContracts } = await import('../../../../common/contracts/lanes.ts');
  const { scheduledContracts } = await import('../../../../common/contracts/scheduled.ts');
  const { compileStack } = await import('../deploy/stack.ts');
  const { resolveVariable } = serverless;
  return compileStack({
    // Serverless reads them, and so CloudFormation's short forms and its own variables
    parts: await Promise.all(
      parts.map((file) => /** @type {Promise<{}>} */ (resolveVariable(`file(./${file})`))),
    ),
    parameters: await parametersOf(serverless),
    contracts: [...new Set([...scheduledContracts, ...lanedContracts])],
    stage: String(await resolveVariable('sls:stage')),
    environment: /** @type {Record<string, unknown>} */ (await resolveVariable('self:provider.environment')),
  });
}

/** @param {Serverless} serverless */
async function parametersOf({ resolveVariable }) {
  const { PARAMETER_NAMES, readParameters } = await import('../deploy/parameters.ts');
  const given = PARAMETER_NAMES.map(async (name) => [name, await resolveVariable(`param:${name}, null`)]);
  // One that is misspelt would be as good as not given
  const onCommandLine = /** @type {string[] | null} */ (await resolveVariable('opt:param, null')) ?? [];
  const named = onCommandLine.map((text) => [text.slice(0, text.indexOf('=')), text]);
  return readParameters({ ...Object.fromEntries(named), ...Object.fromEntries(await Promise.all(given)) });
}
