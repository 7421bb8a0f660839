// The shape of a task's row. The roles of senders may write many of its attributes, so their types are checked.
import * as z from 'zod';
import { subjectSchema } from '../task/task-end.ts';

/** Ids, names and times. */
const text = z.string().max(255);
const link = z.looseObject({ task: text, queue: text });

const rowSchema = z.looseObject({ task: text, queue: text, state: text }).extend(
  z
    .object({
      attempts: z.int(),
      token: z.int(),
      depth: z.int(),
      expiresAt: z.number(),
      createdAt: text,
      updatedAt: text,
      notBefore: text,
      payloadHash: text,
      parentId: text,
      traceparent: text,
      afterId: text,
      groupId: text,
      flowId: text,
      subject: subjectSchema,
      onEnd: z.array(link),
      next: link.extend({ taskId: text }),
      flowEnd: link.extend({ taskId: text }),
    })
    .partial().shape,
);

/** What is wrong with the types and lengths in the row of a task. Undefined if nothing is. */
export function faultOfRow(row: object): string | undefined {
  const [issue] = rowSchema.safeParse(row).error?.issues ?? [];
  return issue && `${issue.path.join('.')}: ${issue.message}`;
}
