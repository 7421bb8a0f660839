// The events of the worker's function.
import type { TaskContract } from 'baton-tasks';
import type { FunctionEvent } from './part.ts';
import { queuesOf } from './queues.ts';
import { arnOf, type Resources } from './resources.ts';
import { StackError } from './stack-error.ts';

/**
 * Makes the events of the worker's function. Replaces an `sqs` event without `arn` by an event with the same settings for
 * each queue of the contracts that the worker implements.
 *
 * @param contracts - those that the worker implements
 * @param stagePrefix - the prefix of the contracts' queue names, such as `baton-dev-`
 * @throws StackError naming a contract whose queue no functions.yml describes
 */
export function workerEvents(
  events: readonly FunctionEvent[],
  contracts: readonly TaskContract[],
  resources: Resources,
  stagePrefix: string,
): FunctionEvent[] {
  return events.flatMap((event) => {
    const { sqs } = event;
    if (sqs === undefined || 'arn' in sqs) return [event];
    const ids = new Set(contracts.map((contract) => idOfQueue(contract, resources, stagePrefix)));
    const onQueue = (id: string): FunctionEvent => ({ ...event, sqs: { arn: arnOf(id), ...sqs } });
    return [...ids].toSorted().map(onQueue);
  });
}

/** The logical id of the queue of a contract. @throws StackError if no functions.yml describes it */
export function idOfQueue(
  { name, queue }: Pick<TaskContract, 'name' | 'queue'>,
  resources: Resources,
  stagePrefix: string,
): string {
  const found = queuesOf(resources).find((each) => each.name === stagePrefix + queue);
  if (found) return found.id;
  throw new StackError(
    `The contract ${name} is on the queue ${queue}: expected a queue ${stagePrefix}${queue} in a functions.yml`,
  );
}
