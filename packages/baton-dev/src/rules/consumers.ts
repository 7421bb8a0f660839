// The functions that consume queues.
import { isDeepStrictEqual } from 'node:util';
import type { TaskContract } from 'baton-tasks';
import { lanesByQueue, queuesOfLanes } from 'baton-tasks/tooling';
import { IMPLEMENTATIONS } from '../stack/implementations.ts';
import { WORKER_FOLDER } from '../stack/names.ts';
import { DEFAULT_TIMEOUT_SECONDS } from '../stack/serverless.ts';
import { type Queue, queuesOf } from '../stack/queues.ts';
import { type ContractUse, functionsWith, implementationsIn } from './contract-uses.ts';
import { type Consumed, consumedQueues, queueText } from './queues.ts';
import { type Breach, type Rule, unless } from './rule.ts';
import { STAGE_PREFIX, type Tree } from './tree.ts';

/** AWS Lambda Developer Guide, "Lambda quotas". */
const LONGEST_TIMEOUT_SECONDS = 900;
/** The time that a function needs beside its task, to settle the message. */
const SETTLING_SECONDS = 10;

/** A message that is sent is received by somebody who has time for it. */
export const contractsAreConsumed: Rule = {
  name: "every contract's queue is described, and its consumer has more time than the contract's limit",
  breaches: (tree) => {
    const queues = queuesOf(tree.stack.resources);
    const consumed = consumedQueues(tree);
    return tree.contracts.flatMap((contract) => {
      const queue = queues.find(({ name }) => name === STAGE_PREFIX + contract.queue);
      if (!queue) return [undescribed(contract, tree)];
      const own = consumed.filter((each) => each.queue.id === queue.id);
      if (own.length === 0) return [unconsumed(contract, queue.id, tree)];
      return own.flatMap((each) => tooSlow(contract, each, tree));
    });
  },
};

function undescribed(contract: TaskContract, tree: Tree): Breach {
  const [use] = usesOf(contract, tree);
  const folder = use ? folderOf(use) : WORKER_FOLDER;
  const onQueue = tree.contracts.filter(({ queue }) => queue === contract.queue);
  const consumers = tree.functions.filter((own) => own.folder === folder);
  const least = onQueue.map(({ timeoutSeconds }) => timeoutSeconds + SETTLING_SECONDS);
  const timeout = Math.max(...consumers.map((own) => own.timeout ?? DEFAULT_TIMEOUT_SECONDS), ...least);
  return {
    at: tree.placeOfContract(contract),
    found: `the contract ${contract.name} is on the queue ${contract.queue}, which no functions.yml describes`,
    expected: `Write under resources: Resources: in ${folder}/functions.yml: ${queueText(STAGE_PREFIX + contract.queue, onQueue, timeout)}`,
  };
}

function unconsumed(contract: TaskContract, id: string, tree: Tree): Breach {
  const use = usesOf(contract, tree).find((each) => folderOf(each) !== WORKER_FOLDER);
  const names = use ? functionsWith(tree, use.file).map(({ name }) => name) : [];
  const event = `- sqs: { arn: !GetAtt ${id}.Arn, batchSize: 10, maximumConcurrency: 10, functionResponseType: ReportBatchItemFailures }`;
  return {
    at: tree.placeOfResource(id),
    found: `no function consumes ${id}, the queue of ${contract.name}`,
    expected: use
      ? `Write under the events of ${names.join(' or ') || 'its consumer'} in ${folderOf(use)}/functions.yml: ${event}`
      : `Implement ${contract.name} in common/tasks and list it in ${IMPLEMENTATIONS}, or write under the events of a function: ${event}`,
  };
}

function tooSlow(
  { name, queue, timeoutSeconds }: TaskContract,
  { consumer }: Consumed,
  tree: Tree,
): Breach[] {
  const { timeout = DEFAULT_TIMEOUT_SECONDS } = consumer;
  if (timeout > timeoutSeconds) return [];
  const least = timeoutSeconds + SETTLING_SECONDS;
  return [
    {
      at: tree.placeOf(consumer, 'timeout'),
      found: `${consumer.name} may take ${timeout} s, and ${name} on its queue ${queue} up to ${timeoutSeconds} s`,
      expected:
        least > LONGEST_TIMEOUT_SECONDS
          ? `Give the contract a timeoutSeconds of at most ${LONGEST_TIMEOUT_SECONDS - SETTLING_SECONDS}: Lambda's longest timeout is ${LONGEST_TIMEOUT_SECONDS} s`
          : `Write timeout: ${least} or more, and a VisibilityTimeout of six times as much for each queue that it consumes`,
    },
  ];
}

/** A consumer knows what comes. */
export const contractsAreImplemented: Rule = {
  name: 'every contract is implemented by the one that consumes its queue',
  breaches: (tree) => {
    const consumed = consumedQueues(tree);
    return tree.contracts.flatMap((contract) => {
      const uses = usesOf(contract, tree);
      const name = STAGE_PREFIX + contract.queue;
      const consumers = consumed.filter(({ queue }) => queue.name === name).map(({ consumer }) => consumer);
      if (uses.length === 0 && consumers.length > 0)
        return [
          {
            at: tree.placeOfContract(contract),
            found: `nothing implements the contract ${contract.name}`,
            expected: `Implement it where its queue is consumed, in ${consumers.map(({ folder }) => (folder === WORKER_FOLDER ? 'common/tasks' : `${folder}/handlers.ts`)).join(' or ')}`,
          },
        ];
      return uses.flatMap((use) => misplaced(use, consumers, tree));
    });
  },
};

function misplaced(use: ContractUse, consumers: readonly Consumed['consumer'][], tree: Tree): Breach[] {
  const { contract, file, line } = use;
  const folder = folderOf(use);
  if (folder === WORKER_FOLDER && !tree.implemented.includes(contract))
    return [
      {
        at: { file, line },
        found: `it implements ${contract.name}, and the worker does not run it`,
        expected: `Add it to allTasks in ${IMPLEMENTATIONS}`,
      },
    ];
  if (consumers.length === 0 || consumers.some((consumer) => consumer.folder === folder)) return [];
  return [
    {
      at: { file, line },
      found: `it implements ${contract.name}, whose queue ${contract.queue} ${consumers.map(({ name }) => name).join(' and ')} consumes`,
      expected: `Move it to ${consumers.map((consumer) => consumer.folder).join(' or ')}, or give the contract a queue of its own that ${folder} consumes`,
    },
  ];
}

/** A message has one way to go. */
export const queuesHaveOneConsumer: Rule = {
  name: 'a queue has one consumer',
  breaches: (tree) => {
    const byQueue = Map.groupBy(consumedQueues(tree), ({ queue }) => queue.id);
    return [...byQueue]
      .filter(([, all]) => all.length > 1)
      .map(([id, all]) => {
        const byTasks = all.some(({ consumer }) => consumer.folder === WORKER_FOLDER);
        return {
          at: tree.placeOfResource(id),
          found: `${all.map(({ consumer }) => consumer.name).join(' and ')} consume ${id}: each gets tasks that it does not know`,
          expected: byTasks
            ? 'Give the contracts that common/tasks implements a queue of their own: the worker consumes the queues of all of them'
            : 'Leave one event on it, and give the other function a queue of its own',
        };
      });
  },
};

/** One bad message does not take others with it. */
export const consumersAreBounded: Rule = {
  name: 'every consumer reports the failed messages of a batch, and has a bound on its concurrency',
  breaches: (tree) =>
    consumedQueues(tree).flatMap(({ consumer, sqs, queue }) => {
      const at = tree.placeOf(consumer, 'events');
      const what = `the sqs event of ${consumer.name} on ${queue.id}`;
      return [
        unless(sqs['functionResponseType'] === 'ReportBatchItemFailures', {
          at,
          found: `${what} does not report which messages of a batch failed`,
          expected: 'Write functionResponseType: ReportBatchItemFailures',
        }),
        unless(isBound(sqs['maximumConcurrency']), {
          at,
          found: `${what} has no bound on its concurrency`,
          expected: 'Write maximumConcurrency: 10, or another number from 2 to 1000',
        }),
      ].flat();
    }),
};

/** AWS takes 2 to 1,000 (AWS Lambda Developer Guide, "Setting maximum concurrency for Amazon SQS event sources"). */
function isBound(concurrency: unknown): boolean {
  return typeof concurrency === 'number' && concurrency >= 2 && concurrency <= 1000;
}

/** A lane that is described by hand is a lane of its queue. */
export const lanesAreAlike: Rule = {
  name: 'the queues of lanes are like their own, and the same function consumes them',
  breaches: (tree) => {
    const queues = queuesOf(tree.stack.resources);
    const consumed = consumedQueues(tree);
    return [...lanesByQueue(tree.stack.contracts)].flatMap(([queue, lanes]) => {
      const base = queues.find(({ name }) => name === STAGE_PREFIX + queue);
      const names = new Set([...queuesOfLanes(queue, lanes).keys()].map((name) => STAGE_PREFIX + name));
      const others = queues.filter(({ name }) => names.has(name) && name !== base?.name);
      return base ? others.flatMap((lane) => differences(lane, base, consumed, tree)) : [];
    });
  },
};

function differences(lane: Queue, base: Queue, consumed: readonly Consumed[], tree: Tree): Breach[] {
  const isLike = isDeepStrictEqual({ ...lane, id: '', name: '' }, { ...base, id: '', name: '' });
  const consumer = consumerOf(base, consumed);
  return [
    unless(isLike, {
      at: tree.placeOfResource(lane.id),
      found: `${lane.id} has other properties than ${base.id}, whose lane it is`,
      expected: `Delete ${lane.id}: it follows from the contract`,
    }),
    unless(isDeepStrictEqual(consumerOf(lane, consumed), consumer), {
      at: tree.placeOfResource(base.id),
      found: `the lane ${lane.id} is not consumed as ${base.id} is, by ${consumer.name} with the same settings`,
      expected: `Delete the event on ${lane.id}: it follows from the contract. Only its maximumConcurrency may differ`,
    }),
  ].flat();
}

/** The consumer of a queue, and its settings: only the bound of its concurrency is a lane's own (docs/deploy.md, "Lanes"). */
function consumerOf({ id }: Queue, consumed: readonly Consumed[]) {
  const { consumer, sqs } = consumed.find(({ queue }) => queue.id === id) ?? {};
  const { arn: _arn, maximumConcurrency: _bound, ...settings } = sqs ?? {};
  return { name: consumer?.name, ...settings };
}

function usesOf(contract: TaskContract, tree: Tree): ContractUse[] {
  return tree.deployed
    .flatMap((source) => implementationsIn(tree, source))
    .filter((use) => use.contract === contract);
}

/** Whose function runs what a file implements: the worker's that of common. */
function folderOf({ file }: ContractUse): string {
  return /^functions\/[^/]+/.exec(file)?.[0] ?? WORKER_FOLDER;
}
