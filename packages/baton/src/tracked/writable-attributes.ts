// The attributes of the task store's table that the roles of those who send or cancel tasks let them write, and no others.

/** The attributes that the row of a new task may have. The keys of the table and its indexes are among them. */
export const SENDER_ATTRIBUTES = [
  'taskId',
  'task',
  'queue',
  'contractVersion',
  'payloadHash',
  'notBefore',
  'parentId',
  'traceparent',
  'depth',
  'subject',
  'onEnd',
  'state',
  'createdAt',
  'updatedAt',
  'listedAt',
  'listedIn',
  'expiresAt',
  'signature',
] as const;

/** Those that the rows of a chain or a group may have beside them. */
export const FLOW_ATTRIBUTES = ['next', 'groupId', 'flowEnd', 'afterId', 'flowId', 'memberIds'] as const;

/** Those that the cancellation of a task reads and writes. */
export const CANCEL_ATTRIBUTES = [
  'taskId',
  'state',
  'finishedAt',
  'cancelledBy',
  'updatedAt',
  'expiresAt',
  'error',
  'owner',
  'leaseUntilMs',
  'doubtedUntilMs',
  'doubtedAtMs',
  'nextAttemptAt',
  'waiting',
  'afterId',
  'payloadHash',
] as const;
