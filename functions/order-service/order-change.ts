import { sendNotification, wasDelivered } from '@baton/common/contracts/notifications';
import { type OrderOutcome, processOrder } from '@baton/common/contracts/orders';
import { RejectTask, type TaskEnd } from 'baton-tasks';

/**
 * A change of an order's row, and which rows it may be made to. Messages can arrive late, twice and in any order, so each
 * is held against the token of the latest attempt that is known: an earlier attempt's never follows a later one's.
 */
export interface OrderChange {
  readonly set: Readonly<Record<string, unknown>>;
  readonly remove: readonly string[];
  readonly condition: string;
  /** The values of the condition, by their placeholders. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** The index that lists orders by time has the rows with this member. */
export const LISTED = { listedIn: 'orders' };

/** What takes a row in that SQS has taken the task of: see `Intake`. */
const INTAKE = ['holder', 'heldUntilMs', 'expiresAt'];
const UNFINISHED = { ':pending': 'pending', ':accepted': 'accepted', ':processing': 'processing' };

/** What an attempt says: that it has begun. */
export function changeByOutcome(outcome: OrderOutcome): OrderChange {
  if (outcome.status !== 'processing' || outcome.token === undefined) return changeOfOldWorker(outcome);
  const { status, at, token } = outcome;
  return {
    set: { ...LISTED, status, updatedAt: at, taskToken: token },
    remove: [...INTAKE, 'failure'],
    condition:
      'taskToken < :token OR (attribute_not_exists(taskToken) AND #status IN (:pending, :accepted, :processing))',
    values: { ...UNFINISHED, ':token': token },
  };
}

/** What a worker says of before there were tokens: it follows nothing that has one. */
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
 * How the order's own task ended, or that of its customer's mail.
 *
 * @throws RejectTask when the task is neither, or ended with a result that breaks its contract
 */
export function changeByEnd(end: TaskEnd): OrderChange {
  if (end.task === processOrder.name) return changeByOwnEnd(end);
  if (end.task === sendNotification.name) return changeByMailsEnd(end);
  throw new RejectTask(`Nothing of an order depends on ${end.task}`);
}

function changeByOwnEnd(end: TaskEnd): OrderChange {
  const { token, at } = end;
  const members = ownMembers(end);
  return {
    set: { ...LISTED, ...members, taskToken: token, updatedAt: at },
    remove: [...INTAKE, ...('failure' in members ? [] : ['failure'])],
    condition:
      'attribute_exists(orderId) AND (attribute_not_exists(taskToken) OR taskToken < :token OR (taskToken = :token AND #status = :processing))',
    values: { ':processing': 'processing', ':token': token },
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

/** What has left stays delivered, however the mail's task ended, and whatever order its ends come in. */
function changeByMailsEnd(end: TaskEnd): OrderChange {
  const { state, taskId, token, at, error } = end;
  const delivered = wasDelivered(end);
  const status = delivered ? 'delivered' : state === 'cancelled' ? 'cancelled' : 'failed';
  const failed = status === 'failed';
  const undelivered = '(attribute_not_exists(notificationStatus) OR notificationStatus <> :delivered)';
  const later = '(attribute_not_exists(notificationToken) OR notificationToken < :token)';
  return {
    set: {
      notificationId: taskId,
      notificationStatus: status,
      notificationToken: token,
      updatedAt: at,
      ...(failed && { notificationFailure: failureOf(error, 'The notification could not be sent') }),
    },
    remove: failed ? [] : ['notificationFailure'],
    condition: `attribute_exists(orderId) AND ${delivered ? `(${undelivered} OR ${later})` : `${undelivered} AND ${later}`}`,
    values: { ':token': token, ':delivered': 'delivered' },
  };
}

/** What a handler rejects is for the customer's eyes; of all else the reason alone. */
function failureOf(error: TaskEnd['error'], what: string): string {
  return error?.reason === 'rejected' ? error.message : `${what} (${error?.reason ?? 'unknown'})`;
}
