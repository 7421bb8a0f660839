import { InvalidValueError } from '../task/invalid-value.ts';
import type { SendOptions } from '../task/send-task.ts';
import { type EndListener, isEndListener, type TaskContract } from '../task/task.ts';
import type { Listener } from '../task/next-task.ts';

/** Who is told how a task ends. @throws InvalidValueError when the sender names a contract that cannot be told */
export function checkedListeners(
  contract: TaskContract,
  { onEnd }: Pick<SendOptions, 'onEnd'> = {},
): readonly Listener[] | undefined {
  if (onEnd !== undefined && !contract.tracked)
    throw untold(`expected none, for ${contract.name} is not tracked`);
  if (onEnd !== undefined && !isEndListener(onEnd))
    throw untold('expected a contract whose payload is taskEndSchema');
  return listenersOf(contract, onEnd);
}

/** Who is told how a task of a contract ends: whom the contract names, and one more. */
export function listenersOf(
  { onEnd: own }: TaskContract,
  another?: EndListener,
): readonly Listener[] | undefined {
  const told = [own, another].filter((contract) => contract !== undefined);
  if (told.length === 0) return undefined;
  const byName = new Map(
    told.map(({ name, version, queue }) => [name, { task: name, version, queue }] as const),
  );
  return [...byName.values()];
}

function untold(message: string): InvalidValueError {
  return new InvalidValueError('Nobody can be told of the end', [{ path: 'onEnd', message }]);
}
