import { type Processing } from '../run/processing.ts';
import { processMessage } from '../run/process-message.ts';
import { noteReturn } from '../run/untracked-attempt.ts';
import type { Executor } from './executor.ts';

/** Runs a queue's messages in the worker's own process. */
export function localExecutor(queue: string, processing: Processing): Executor {
  const log = processing.tracker?.receives;
  return {
    kind: 'local',
    run: (message, host) => processMessage(message, queue, host, processing),
    ...(log && { comesBack: (message) => noteReturn(message, log) }),
  };
}
