// The shape of a task's row. The roles of senders and cancellers may write many of its attributes, so each has bounds.
import * as z from 'zod';
import { fromJson } from '../task/json-value.ts';
import { subjectSchema } from '../task/task-end.ts';
import { versionSchema } from '../task/task.ts';

/** Names. */
const text = z.string().max(255);
/** Ids. The check of a signature takes an empty one for none; other code takes it for a link. */
const id = text.min(1);
/** ISO 8601 in UTC, so that the later of two times is the greater text. */
const time = z.iso.datetime().max(40);
const count = z.int().min(0);
/** The most characters of JSON of a member that a later version may have given members of its own. */
const MAX_CHARACTERS = 4000;
/** A task has at most two listeners today: its contract's and its sender's. */
const MAX_LISTENERS = 16;
const isSmall = (value: unknown): boolean => charactersOf(value) <= MAX_CHARACTERS;
const TOO_LARGE = `expected at most ${MAX_CHARACTERS} characters`;
const looseLink = z.looseObject({ task: text, queue: text });
const link = looseLink.refine(isSmall, TOO_LARGE);
const later = looseLink.extend({ taskId: text }).refine(isSmall, TOO_LARGE);
/** What `toJson` made. */
const json = z.string().refine(isJson, 'expected JSON');
const failure = z.looseObject({ name: text, message: z.string().max(1000) }).refine(isSmall, TOO_LARGE);

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
      payloadHash: id,
      parentId: id,
      traceparent: text,
      afterId: id,
      groupId: id,
      flowId: id,
      owner: z.string().max(1000),
      cancelledBy: text,
      leaseUntilMs: z.number(),
      doubtedUntilMs: z.number(),
      doubtedAtMs: z.number(),
      error: failure,
      result: json,
      startedAt: time,
      deaths: count,
      lastDeath: failure,
      lastDeathAt: time,
      putBackAt: time,
      putBackBy: text,
      waiting: z.looseObject({ reason: text, error: failure.optional() }).refine(isSmall, TOO_LARGE),
      subject: subjectSchema,
      // First of all their number: an issue for each of 200,000 would keep a worker busy for a second
      onEnd: z.array(z.unknown()).max(MAX_LISTENERS).pipe(z.array(link)),
      next: later,
      flowEnd: later,
      // The row of a task has none
      memberIds: z.undefined(),
      listedAt: text,
      listedIn: text,
      signature: text,
    })
    .partial().shape,
);

/** The members that the status of a task shows, or is made of. */
const shownSchema = rowSchema.omit({
  token: true,
  contractVersion: true,
  depth: true,
  expiresAt: true,
  payloadHash: true,
  afterId: true,
  groupId: true,
  flowId: true,
  owner: true,
  leaseUntilMs: true,
  doubtedUntilMs: true,
  doubtedAtMs: true,
  onEnd: true,
  next: true,
  flowEnd: true,
  memberIds: true,
  listedAt: true,
  listedIn: true,
  signature: true,
});

/** Whether the status of a task can be shown by its row, although other members of the row may be wrong. */
export function canBeShown(row: object): boolean {
  return shownSchema.safeParse(row).success;
}

/** What is wrong with the types, lengths and bounds in the row of a task. Undefined if nothing is. */
export function faultOfRow(row: object): string | undefined {
  const [issue] = rowSchema.safeParse(row).error?.issues ?? [];
  return issue && `${issue.path.join('.')}: ${issue.message}`;
}

function isJson(value: string): boolean {
  try {
    fromJson(value);
    return true;
  } catch {
    return false;
  }
}

/** About how many characters a value takes as JSON. A sender may write numbers, sets and bytes that JSON does not know. */
function charactersOf(value: unknown): number {
  const written = JSON.stringify(value, (_name, part: unknown) => {
    if (typeof part === 'bigint') return String(part);
    return part instanceof Set ? [...part] : part;
  });
  return written?.length ?? 0;
}
