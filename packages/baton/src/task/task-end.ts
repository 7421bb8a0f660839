// The ends of tracked tasks, as listeners are told of them.
import * as z from 'zod';

/** The longest subject of a task, in characters. */
export const MAX_SUBJECT_CHARACTERS = 128;

/** The subject of a task, such as a payment's id: CloudEvents' `subject`, 1 to 128 characters. */
export const subjectSchema = z
  .string()
  .min(1)
  .max(MAX_SUBJECT_CHARACTERS)
  .refine((subject) => subject.isWellFormed(), 'expected whole characters, got half of a surrogate pair');

/**
 * The end of a tracked task: the payload of a listener, which is a contract that another contract or a sender names as
 * `onEnd`.
 *
 * A task may end again after its dead letter was put back. Listeners are told in any order, and perhaps twice. So a
 * listener should store the greatest `token` of each task, and drop ends with a smaller one. Times cannot tell which end
 * came later.
 */
export const taskEndSchema = z.object({
  taskId: z.string().min(1).max(128),
  /** The name of the ended task's contract. */
  task: z.string().min(1).max(128),
  /** The subject that its sender gave it. */
  subject: z.string().min(1).max(MAX_SUBJECT_CHARACTERS).optional(),
  /** `failed`: its handler rejected it. `dead`: it was given up for any other reason. */
  state: z.enum(['succeeded', 'failed', 'dead', 'cancelled']),
  /** The number of attempts; 0 if it never began. */
  attempts: z.int().min(0),
  /** Fencing token: a later end of the same task has a greater token. */
  token: z.int().min(0),
  /** When it ended, ISO 8601, by the clock of the process that ended it. */
  at: z.iso.datetime(),
  /** The handler's result. Check it with the result schema of its contract. Absent unless the task succeeded. */
  result: z.unknown().optional(),
  /** Why it did not succeed. Absent if somebody cancelled it. */
  error: z.object({ name: z.string(), message: z.string(), reason: z.string().optional() }).optional(),
  /**
   * The keys of kept effects of a task that did not succeed, for example of a payment that was made. Absent if the task
   * succeeded or has no effects. If an effect ends after its task, listeners are told the same end again.
   */
  effects: z.array(z.string()).optional(),
});

/** The type of `taskEndSchema`. */
export type TaskEndSchema = typeof taskEndSchema;

/** The end of a tracked task. */
export type TaskEnd = z.output<TaskEndSchema>;
