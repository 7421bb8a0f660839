// The described stack: all functions.yml, with the parts that follow from contracts.
import type { TaskContract } from 'baton-tasks';
import { readContracts } from './contracts.ts';
import { readImplementations } from './implementations.ts';
import { laneQueues, withLaneEvents } from './lanes.ts';
import { stagePrefixOf, WORKER } from './names.ts';
import { type Functions, type Part, readPart, readParts, readSharedPart } from './part.ts';
import type { Resources } from './resources.ts';
import { StackError } from './stack-error.ts';
import { idOfQueue, workerEvents } from './worker-events.ts';

/** The description of a stack. */
export interface StackSources {
  /** The contents of every functions.yml, and the library's own part. */
  readonly parts: readonly Part[];
  /** All contracts: the queues of lanes follow from them. */
  readonly contracts: readonly TaskContract[];
  /** The contracts that the worker implements: its event sources follow from them. */
  readonly implemented: readonly TaskContract[];
  readonly stage: string;
}

/** The functions and resources of a stack, with those that follow from contracts. */
export interface DescribedStack {
  readonly functions: Functions;
  readonly resources: Resources;
  readonly contracts: readonly TaskContract[];
}

/**
 * Reads the stack of the repository for one stage: every functions.yml, every contract, and what the worker implements.
 * Deploys, the embedded runtime and the containers all get it from here.
 *
 * @throws StackError that names a wrong file, and the errors of `describeStack`
 */
export async function readStack(stage: string): Promise<DescribedStack> {
  const parts = [...readParts(stage).values(), readSharedPart(stage)];
  const [contracts, implementations] = await Promise.all([readContracts(), readImplementations()]);
  const implemented = implementations.map(({ contract }) => contract);
  return describeStack({ parts, contracts, implemented, stage });
}

/**
 * Joins the parts of a stack, and adds the queues of lanes and the event sources that follow from contracts.
 *
 * @throws StackError if two parts have a function or resource of one name, a contract's queue is missing, or contracts
 *   declare invalid lanes
 */
export function describeStack({ parts, contracts, implemented, stage }: StackSources): DescribedStack {
  const stagePrefix = stagePrefixOf(stage);
  const resources = resourcesOf(parts, contracts, stage);
  for (const contract of contracts) if (contract.lanes) idOfQueue(contract, resources, stagePrefix);
  const described = merged(
    'function',
    parts.map(({ functions }) => functions ?? {}),
  );
  const functions = Object.entries(described).map(([name, { events = [], ...members }]) => {
    const all = name === WORKER ? workerEvents(events, implemented, resources, stagePrefix) : events;
    return [name, { ...members, events: withLaneEvents(all, resources) }];
  });
  return { functions: Object.fromEntries(functions) as Functions, resources, contracts };
}

/** The resources of some parts, with the queues of lanes. @throws StackError if two parts have one of the same name */
export function resourcesOf(
  parts: readonly Part[],
  contracts: readonly TaskContract[],
  stage: string,
): Resources {
  const own = merged(
    'resource',
    parts.map(({ resources }) => resources?.Resources ?? {}),
  );
  return { ...own, ...laneQueues(own, contracts, stagePrefixOf(stage)) };
}

/**
 * Reads the resources of some folders alone, with what the library describes.
 *
 * @param folders - with a functions.yml, such as `functions/payments-service`
 */
export async function readResources(folders: readonly string[], stage: string): Promise<Resources> {
  const parts = [readSharedPart(stage), ...folders.map((folder) => readPart(folder, stage))];
  return resourcesOf(parts, await readContracts(), stage);
}

function merged<Member>(
  what: string,
  records: readonly Readonly<Record<string, Member>>[],
): Record<string, Member> {
  const names = records.flatMap((record) => Object.keys(record));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new StackError(`Two parts of the stack have a ${what} ${twice}: expected different names`);
  return Object.assign({}, ...records) as Record<string, Member>;
}
