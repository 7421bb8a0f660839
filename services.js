// Finds the parts of the stack, so that a new service is a new folder and no edit here: every functions/*/functions.yml,
// the worker's, and what all share; and the schedules of contracts. serverless.yml reads this file; what it gives are references, which serverless itself resolves.
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 24;

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  throw new Error(
    `Baton needs Node ${OLDEST_NODE}, this is ${process.version}. On Linux "npm ci" brings it along; elsewhere see .nvmrc.`,
  );
}

const root = fileURLToPath(new URL('.', import.meta.url));
const parts = readdirSync(`${root}functions`)
  .toSorted()
  .map((service) => `functions/${service}/functions.yml`)
  .filter((file) => existsSync(root + file))
  .concat('worker/functions.yml', 'common/resources.yml');

/** @param {string} section */
const sectionOfEach = (section) => parts.map((file) => `\${file(./${file}):${section}, null}`);

export const functions = sectionOfEach('functions');

export const resources = async () => {
  // Not at the top, where an older Node would fail at their types before it is told so above
  const { scheduledContracts } = await import('./common/contracts/scheduled.ts');
  const { scheduleResources } = await import('./schedules.js');
  return [...sectionOfEach('resources'), { Resources: scheduleResources(scheduledContracts) }];
};
