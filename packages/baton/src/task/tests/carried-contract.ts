import { defineTask, type TaskContract } from '../task.ts';
import * as z from 'zod';

/** A contract whose payload or result a test checks. */
export function contractOf(payload: z.ZodType, result: z.ZodType = z.void()): TaskContract {
  return defineTask({
    name: 'tests.carry',
    queue: 'default',
    payload,
    result,
    retry: { maxAttempts: 1, baseSeconds: 1 },
    timeoutSeconds: 1,
  });
}
