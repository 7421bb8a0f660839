import { lanedContracts } from '@baton/common/contracts/lanes';
import type { TaskContract } from 'baton-tasks';
import { parts, readFunctionsYml } from '../../embedded/functions-yml.ts';
import { readParameters } from '../parameters.ts';
import { compileStack, type Part } from '../stack.ts';

const files = [...parts.map((part) => `${part}/functions.yml`), 'common/resources.yml'];
const described = files.map((file) => readFunctionsYml(file, 'dev') as unknown as Part);

/** The stack of all functions.yml, as a deploy with these parameters makes it. */
export function stackOf(
  given: Record<string, string> = {},
  more: readonly Part[] = [],
  contracts: readonly TaskContract[] = lanedContracts,
) {
  const parameters = readParameters(given);
  const environment = { LOG_LEVEL: 'info', TASKS_TABLE: 'baton-dev-tasks' };
  return compileStack({
    parts: [...described, ...more],
    parameters,
    contracts,
    stage: 'dev',
    environment,
  });
}

/** The parameters of a worker on Fargate. */
export const fargate = {
  worker: 'fargate',
  'worker-image': '123456789012.dkr.ecr.eu-central-1.amazonaws.com/baton/worker:1.0.0',
  'worker-subnets': 'subnet-1, subnet-2',
  'worker-security-groups': 'sg-1',
};
