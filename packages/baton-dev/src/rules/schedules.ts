// Schedules.
import type { TaskContract } from 'baton-tasks';
import { isScheduled } from 'baton-tasks/tooling';
import { SCHEDULED } from '../stack/contracts.ts';
import { scheduleResources } from '../deploy/schedules.ts';
import { StackError } from '../stack/stack-error.ts';
import { consumedQueues } from './queues.ts';
import { type Breach, type Rule, unless } from './rule.ts';
import { CONTRACTS_FOLDER } from './paths.ts';
import { STAGE_PREFIX, type Tree } from './tree.ts';
import { WORKER } from '../stack/names.ts';

/** A schedule that nobody knows of would never run. */
export const schedulesAreListed: Rule = {
  name: `every contract with a schedule is in ${SCHEDULED}, and no other`,
  breaches: (tree) => {
    const { scheduled, contracts } = tree;
    const missing = contracts
      .filter((contract) => isScheduled(contract) && !scheduled.includes(contract))
      .map((contract) => ({
        at: tree.placeOfContract(contract),
        found: `the contract ${contract.name} has a schedule, and ${SCHEDULED} does not list it`,
        expected: 'Import it there, and add it to scheduledContracts',
      }));
    const needless = scheduled
      .filter((contract) => !isScheduled(contract) || !contracts.includes(contract))
      .map(({ name }) => ({
        at: { file: SCHEDULED },
        found: `it lists ${name}, which is no contract of ${CONTRACTS_FOLDER} with a schedule`,
        expected: 'Take it out of scheduledContracts',
      }));
    return [...missing, ...needless];
  },
};

/** A worker ticks what it runs itself, and what functions run. */
export const schedulesAreTicked: Rule = {
  name: 'every schedule is ticked where a worker serves all queues, and can be one of AWS',
  breaches: (tree) => {
    const byFunctions = new Set(
      consumedQueues(tree)
        .filter(({ consumer }) => consumer.name !== WORKER)
        .map(({ queue }) => queue.name.slice(STAGE_PREFIX.length)),
    );
    const scheduled = tree.contracts.filter(isScheduled);
    return scheduled.flatMap((contract, index): Breach[] => {
      const isTicked = byFunctions.has(contract.queue) || tree.implemented.includes(contract);
      const untold = {
        at: tree.placeOfContract(contract),
        found: `no worker ticks the schedule of ${contract.name}: the worker does not run it, and no function consumes ${contract.queue}`,
        expected:
          'Implement it in common/tasks and list it in allTasks, or have a function consume its queue',
      };
      const refused = refusedByAws(contract, scheduled.slice(0, index), tree);
      return unless(isTicked, untold).concat(refused);
    });
  },
};

/** Why AWS can have no schedule for a contract beside those of others. */
function refusedByAws(contract: TaskContract, others: readonly TaskContract[], tree: Tree): Breach[] {
  const error = errorOf([contract]) ?? (errorOf(others) ? undefined : errorOf([...others, contract]));
  if (!error) return [];
  const expected =
    'Write a cron expression that AWS knows, and a name that differs in more than dots and hyphens';
  return [{ at: tree.placeOfContract(contract), found: error.message, expected }];
}

function errorOf(contracts: readonly TaskContract[]): StackError | undefined {
  try {
    scheduleResources(contracts, 'dev');
    return undefined;
  } catch (error) {
    if (error instanceof StackError) return error;
    throw error;
  }
}
