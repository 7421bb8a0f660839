import type { TaskContract } from 'baton-tasks';
import { readContracts } from '../../stack/contracts.ts';
import { describeStack } from '../../stack/described-stack.ts';
import { readImplementations } from '../../stack/implementations.ts';
import { type Part, partFolders, readPart, readSharedPart } from '../../stack/part.ts';
import { readParameters } from '../parameters.ts';
import { compileStack } from '../stack.ts';

const STAGE = 'dev';
const parts = [...partFolders().map((folder) => readPart(folder, STAGE)), readSharedPart(STAGE)];
const all = await readContracts();
const implemented = (await readImplementations()).map(({ contract }) => contract);

/** The stack of all functions.yml, as a deploy with these parameters makes it. */
export function stackOf(
  given: Record<string, string> = {},
  more: readonly Part[] = [],
  contracts: readonly TaskContract[] = all,
) {
  const parameters = readParameters(given);
  return compileStack({
    described: describeStack({ parts: [...parts, ...more], contracts, implemented, stage: STAGE }),
    parameters,
    stage: STAGE,
    environment: { LOG_LEVEL: 'info', TASKS_TABLE: 'baton-dev-tasks' },
  });
}

/** The parameters of a worker on Fargate. */
export const fargate = {
  worker: 'fargate',
  'worker-image': '123456789012.dkr.ecr.eu-central-1.amazonaws.com/baton/worker:1.0.0',
  'worker-subnets': 'subnet-1, subnet-2',
  'worker-security-groups': 'sg-1',
};
