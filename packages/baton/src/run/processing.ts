// The parts of a process that run messages.
import type { Room } from '../process/room.ts';
import type { Signatures } from '../sqs/signatures.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Implementations, WorkerIdentity } from '../task/implementation.ts';
import type { SendTask } from '../task/send-task.ts';
import type { TaskTracker } from './task-tracker.ts';
import type { Threads } from './threads.ts';

/** The parts of a process that run messages. All its messages share them. */
export interface Processing {
  readonly implementations: Implementations;
  readonly send: SendTask;
  readonly logger: Logger;
  /** Writes the lines of tasks that are done, which are most of all lines. Default: `logger`. */
  readonly doneLogger?: Logger | undefined;
  readonly worker: WorkerIdentity;
  /** How long messages of an unknown task are released before they become dead letters, in seconds. */
  readonly unknownTaskPatienceSeconds: number;
  /**
   * How long a handler may continue after its signal aborted, in seconds. Then its outcome is decided without it, and its
   * thread is terminated if it has one.
   */
  readonly abortGraceSeconds: number;
  /**
   * SQS's time, in milliseconds since 1970. The age of a message is measured with it: by a wrong clock, new messages would
   * seem too old. Default: the system's clock.
   */
  readonly now?: (() => number) | undefined;
  /** Keeps the state of tracked tasks. Required if one of the implemented tasks is tracked. */
  readonly tracker?: TaskTracker | undefined;
  /**
   * Whether every receive of a message reaches a process that calls `processMessage`. Default false, because Lambda may
   * receive a message and then throttle the function.
   */
  readonly everyReceiveIsSeen?: boolean | undefined;
  /** Check the signatures of messages. Default: messages need none. */
  readonly signatures?: Signatures | undefined;
  /** Limits the memory that the payloads of running messages take. Default: no limit. */
  readonly payloads?: Room | undefined;
  /** Runs handlers with the isolation `thread`. Default: they run in this process, like all others. */
  readonly threads?: Threads | undefined;
}
