import * as z from 'zod';

/** The longest subject of a task, in characters. */
export const MAX_SUBJECT_CHARACTERS = 128;

/** What a task is about, such as a payment's id: CloudEvents' `subject`, 1 to 128 characters. */
export const subjectSchema = z
  .string()
  .min(1)
  .max(MAX_SUBJECT_CHARACTERS)
  .refine((subject) => subject.isWellFormed(), 'expected whole characters, not half of a surrogate pair');

/**
 * How a tracked task ended: the payload of every contract that another one names as its `onEnd`.
 *
 * A task ends more than once when its dead letter is put back. Its listener may be told in any order, and of the same
 * end twice: it keeps the greatest `token` that it has seen for a task, and drops what has a smaller one. Clocks do not
 * say which end is the later one.
 */
export const taskEndSchema = z.object({
  taskId: z.string().min(1).max(128),
  /** The name of the contract of the task that ended. */
  task: z.string().min(1).max(128),
  /** What its sender said that it is about. */
  subject: z.string().min(1).max(MAX_SUBJECT_CHARACTERS).optional(),
  /** `failed` is a task that its handler rejected, `dead` one that was given up for any other reason. */
  state: z.enum(['succeeded', 'failed', 'dead', 'cancelled']),
  /** How many attempts there were; 0 when it was never begun. */
  attempts: z.int().min(0),
  /** Fencing token: a later end of the same task has a greater one. */
  token: z.int().min(0),
  /** When it ended, ISO 8601, by the clock of the process that ended it. */
  at: z.iso.datetime(),
  /** What its handler returned. Check it by the result schema of its contract. Absent unless it succeeded. */
  result: z.unknown().optional(),
  /** Why it did not succeed. Absent when somebody cancelled it. */
  error: z.object({ name: z.string(), message: z.string(), reason: z.string().optional() }).optional(),
  /**
   * The keys of the effects that were kept, such as a payment that was made, though the task did not succeed. Absent if it
   * succeeded, or if there are none. An effect that ends after its task makes the same end be told again.
   */
  effects: z.array(z.string()).optional(),
});

/** The schema of how a task ended. */
export type TaskEndSchema = typeof taskEndSchema;

/** How a task ended. */
export type TaskEnd = z.output<TaskEndSchema>;
