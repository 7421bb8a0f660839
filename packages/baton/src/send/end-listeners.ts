// The listeners to the end of a task.
import { InvalidValueError } from '../task/invalid-value.ts';
import type { SendOptions } from '../task/send-task.ts';
import { type EndListener, isEndListener, type TaskContract } from '../task/task.ts';
import type { Listener } from '../task/next-task.ts';

/**
 * The listeners to a task's end: that of its contract, and that of its sender.
 *
 * @throws InvalidValueError if the sender names a contract that cannot listen, or if the task is not tracked
 */
export function checkedListeners(
  contract: TaskContract,
  { onEnd }: Pick<SendOptions, 'onEnd'> = {},
): readonly Listener[] | undefined {
  if (onEnd !== undefined && !contract.tracked)
    throw invalid(`expected none, because ${contract.name} is not tracked`);
  if (onEnd !== undefined && !isEndListener(onEnd))
    throw invalid('expected a contract whose payload is taskEndSchema');
  return listenersOf(contract, onEnd);
}

/** The listeners to the end of a contract's task: the contract's own, and another one. */
export function listenersOf(
  { onEnd: own }: TaskContract,
  another?: EndListener,
): readonly Listener[] | undefined {
  const listeners = [own, another].filter((contract) => contract !== undefined);
  if (listeners.length === 0) return undefined;
  const byName = new Map(
    listeners.map(({ name, version, queue }) => [name, { task: name, version, queue }] as const),
  );
  return [...byName.values()];
}

function invalid(message: string): InvalidValueError {
  return new InvalidValueError('Invalid listener', [{ path: 'onEnd', message }]);
}
