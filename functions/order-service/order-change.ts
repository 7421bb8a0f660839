import { sendNotification, wasDelivered } from '@baton/common/contracts/notifications';
import { type OrderOutcome, processOrder } from '@baton/common/contracts/orders';
import { messageForCallers, RejectTask, type TaskEnd } from 'baton-tasks';

/**
 * A change of an order's row, and the condition under which it is made. Messages can arrive late, twice and in any
 * order. So each is compared with the token of the latest known attempt: an earlier attempt never overwrites a later one.
 */
export interface OrderChange {
  readonly set: Readonly<Record<string, unknown>>;
  readonly remove: readonly string[];
  /** Can be joined to another one by AND. */
  readonly condition: string;
  /** The values of the condition, by their placeholders. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** Rows with this member are in the index that lists orders by time. */
export const LISTED = { listedIn: 'orders' };

/** A row that changes is pending no longer, so it loses these: see `Intake`. */
const INTAKE = ['holder', 'heldUntilMs'];
const UNFINISHED = { ':pending': 'pending', ':accepted': 'accepted', ':processing': 'processing' };

/** An attempt has begun. */
export function changeByOutcome(outcome: OrderOutcome): OrderChange {
  if (outcome.status !== 'processing' || outcome.token === undefined) return changeOfOldWorker(outcome);
  const { status, at, token } = outcome;
  return {
    set: { ...LISTED, status, updatedAt: at, taskToken: token },
    remove: [...INTAKE, 'failure'],
    condition:
      '(taskToken < :token OR attribute_not_exists(taskToken) AND #status IN (:pending, :accepted, :processing))',
    values: { ...UNFINISHED, ':token': token },
  };
}

/** The outcome from a worker of an old version, without a token. It never overwrites one with a token. */
function changeOfOldWorker(outcome: OrderOutcome): OrderChange {
  const { ':processing': processing, ...begun } = UNFINISHED;
  const before = outcome.status === 'processing' ? begun : { ...begun, ':processing': processing };
  return {
    set: { ...LISTED, updatedAt: outcome.at, ...membersOf(outcome) },
    remove: INTAKE,
    condition: `attribute_not_exists(taskToken) AND #status IN (${Object.keys(before).join(', ')})`,
    values: before,
  };
}

function membersOf(outcome: OrderOutcome): Record<string, unknown> {
  const { status } = outcome;
  if (outcome.status === 'processing') return { status };
  if (outcome.status === 'failed') return { status, failure: outcome.reason };
  const { confirmationNumber, units, notificationId } = outcome;
  return { status, confirmationNumber, units, notificationId };
}

/**
 * The order's own task has ended, or the task of its customer's mail.
 *
 * @throws RejectTask if the task is neither, or its result breaks its contract
 */
export function changeByEnd(end: TaskEnd): OrderChange {
  if (end.task === processOrder.name) return changeByOwnEnd(end);
  if (end.task === sendNotification.name) return changeByMailsEnd(end);
  throw new RejectTask(`No order depends on ${end.task}: expected the task of an order or of its mail`);
}

/** Another service may write the row of a task of its own that names this order. So the end must be that of its own task. */
function changeByOwnEnd(end: TaskEnd): OrderChange {
  const { taskId, token, at } = end;
  const members = ownMembers(end);
  return {
    set: { ...LISTED, ...members, taskToken: token, updatedAt: at },
    remove: [...INTAKE, ...('failure' in members ? [] : ['failure'])],
    condition:
      'taskId = :taskId AND (attribute_not_exists(taskToken) OR taskToken < :token OR taskToken = :token AND #status = :processing)',
    values: { ':taskId': taskId, ':processing': 'processing', ':token': token },
  };
}

function ownMembers({ state, result, error }: TaskEnd) {
  switch (state) {
    case 'succeeded': {
      const parsed = processOrder.result.safeParse(result);
      if (!parsed.success) throw new RejectTask(`The result of ${processOrder.name} breaks its contract`);
      const { confirmationNumber, units, notificationTaskId: notificationId } = parsed.data;
      return { status: 'completed', confirmationNumber, units, notificationId };
    }
    case 'cancelled':
      return { status: 'cancelled' };
    case 'failed':
    case 'dead':
      return { status: 'failed', failure: failureOf(error, 'The order could not be processed') };
  }
}

/**
 * A mail that left stays delivered, however its task ended, and in whatever order its ends arrive. Once the order knows its
 * mail, no other task counts as that.
 */
function changeByMailsEnd(end: TaskEnd): OrderChange {
  const { state, taskId, token, at, error } = end;
  const delivered = wasDelivered(end);
  const status = delivered ? 'delivered' : state === 'cancelled' ? 'cancelled' : 'failed';
  const failed = status === 'failed';
  const undelivered = 'attribute_not_exists(notificationStatus) OR notificationStatus <> :delivered';
  const later = 'attribute_not_exists(notificationToken) OR notificationToken < :token';
  return {
    set: {
      notificationId: taskId,
      notificationStatus: status,
      notificationToken: token,
      updatedAt: at,
      ...(failed && { notificationFailure: failureOf(error, 'The notification could not be sent') }),
    },
    remove: failed ? [] : ['notificationFailure'],
    condition: `attribute_exists(orderId) AND (attribute_not_exists(notificationId) OR notificationId = :taskId) AND ${delivered ? `(${undelivered} OR ${later})` : `(${undelivered}) AND (${later})`}`,
    values: { ':taskId': taskId, ':token': token, ':delivered': 'delivered' },
  };
}

/** The customer sees the message of a rejection. Of any other failure the customer sees only the reason. */
function failureOf(error: TaskEnd['error'], what: string): string {
  const reason = error?.reason ?? 'unknown';
  return messageForCallers(reason === 'rejected' ? error : undefined, `${what} (${reason})`);
}
