// The shape of a task's row. The roles of senders and cancellers may write many of its attributes, so each has bounds.
import * as z from 'zod';
import { subjectSchema } from '../task/task-end.ts';
import { versionSchema } from '../task/task.ts';

/** Ids and names. */
const text = z.string().max(255);
/** ISO 8601 in UTC, so that the later of two times is the greater text. */
const time = z.iso.datetime().max(40);
const count = z.int().min(0);
const link = z.looseObject({ task: text, queue: text });
const failure = z.looseObject({ name: text, message: z.string().max(1000) });

const rowSchema = z.looseObject({ task: text, queue: text, state: text }).extend(
  z
    .object({
      attempts: count,
      token: count,
      contractVersion: versionSchema,
      depth: count,
      expiresAt: z.number(),
      createdAt: time,
      updatedAt: time,
      notBefore: time,
      nextAttemptAt: time,
      finishedAt: time,
      payloadHash: text,
      parentId: text,
      traceparent: text,
      afterId: text,
      groupId: text,
      flowId: text,
      owner: z.string().max(1000),
      cancelledBy: text,
      leaseUntilMs: z.number(),
      doubtedUntilMs: z.number(),
      doubtedAtMs: z.number(),
      error: failure,
      waiting: z.looseObject({ reason: text, error: failure.optional() }),
      subject: subjectSchema,
      onEnd: z.array(link),
      next: link.extend({ taskId: text }),
      flowEnd: link.extend({ taskId: text }),
    })
    .partial().shape,
);

/** What is wrong with the types, lengths and bounds in the row of a task. Undefined if nothing is. */
export function faultOfRow(row: object): string | undefined {
  const [issue] = rowSchema.safeParse(row).error?.issues ?? [];
  return issue && `${issue.path.join('.')}: ${issue.message}`;
}
