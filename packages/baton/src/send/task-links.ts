import { childOf, isTraceContext, startTrace, type TraceContext } from '../telemetry/trace-context.ts';
import { isTaskId, MAX_DEPTH } from '../sqs/envelope.ts';
import { InvalidValueError, TooDeepError } from '../task/errors.ts';
import type { SendOptions } from '../task/send-task.ts';
import { shownValue } from '../task/value-issues.ts';

/** What led to a task, as it goes on the wire. */
export interface Links {
  readonly trace: TraceContext;
  readonly parentId: string | undefined;
  readonly depth: number;
}

/**
 * What led to a task.
 *
 * @throws InvalidValueError when one of them is not what a receiver takes, and TooDeepError
 */
export function checkedLinks(options: SendOptions, task: string): Links {
  const { trace, parentId } = options;
  if (trace !== undefined && !isTraceContext(trace))
    throw invalid(
      'The trace cannot be',
      'trace',
      'expected a traceId of 32 hexadecimal digits, a spanId of 16, and flags of 2, not all of an id 0',
    );
  if (parentId !== undefined && !isTaskId(parentId))
    throw invalid('The parent cannot be', 'parentId', `expected a task id, got ${shownValue(parentId)}`);
  const depth = checkedDepth(options, task);
  return { trace: trace === undefined ? startTrace() : childOf(trace), parentId, depth };
}

/**
 * How many tasks sent each other before one.
 *
 * @param further - so many steps of a chain or group are before it, beyond the first
 * @param place - where in the chain or group it is
 * @throws InvalidValueError when it is no count, and TooDeepError
 */
export function checkedDepth({ depth = 0 }: SendOptions, task: string, further = 0, place?: string): number {
  if (!Number.isInteger(depth) || depth < 0)
    throw invalid(
      'The depth cannot be',
      'depth',
      `expected a whole number from 0 to ${MAX_DEPTH}, got ${shownValue(depth)}`,
    );
  if (depth + further > MAX_DEPTH) throw new TooDeepError(task, MAX_DEPTH, place);
  return depth + further;
}

function invalid(what: string, path: string, message: string): InvalidValueError {
  return new InvalidValueError(what, [{ path, message }]);
}
