import { setTimeout as sleep } from 'node:timers/promises';
import { Permits } from 'baton-tasks/service';
import { Progress } from './progress.ts';

const CONCURRENCY = 10;
const POLL_MS = 100;
/** An order without progress for this long counts as missing, in milliseconds. */
const PATIENCE_MS = 30_000;

/** One order, as far as it was followed. */
export interface FollowedOrder {
  readonly accepted: boolean;
  readonly completed: boolean;
  readonly notified: boolean;
  readonly notificationId?: string;
  /** The channel of the notification. */
  readonly deliveredBy?: string;
  /** From the post until the notification left, in milliseconds. */
  readonly tookMs: number | undefined;
  /** Why it is missing. */
  readonly problem: string | undefined;
}

/** Posts every order, ten at a time, and follows each until its customer is notified. */
export async function followOrders(url: string, orders: readonly string[]): Promise<FollowedOrder[]> {
  const progress = new Progress(orders.length);
  const tenAtATime = new Permits(CONCURRENCY);
  const posted = await tenAtATime.map(orders, async (order) => {
    const postedAtMs = Date.now();
    const answer = await postOrder(url, order);
    if (answer.orderId !== undefined) progress.step('accepted');
    return { ...answer, postedAtMs };
  });
  const followed = await tenAtATime.map(posted, (order) => follow(url, order, progress));
  progress.stop();
  return followed;
}

interface Posted {
  readonly orderId?: string;
  readonly problem?: string;
}

async function postOrder(url: string, body: string): Promise<Posted> {
  try {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/orders`, { method: 'POST', headers, body });
    const answer = (await response.json()) as { orderId?: string; detail?: string };
    if (response.status !== 202 || !answer.orderId)
      return { problem: `POST /orders: ${response.status} ${answer.detail ?? ''}` };
    return { orderId: answer.orderId };
  } catch (error) {
    return { problem: `POST /orders: ${(error as Error).message}` };
  }
}

async function follow(
  url: string,
  { orderId, problem, postedAtMs }: Posted & { readonly postedAtMs: number },
  progress: Progress,
): Promise<FollowedOrder> {
  const nothing = { accepted: false, completed: false, notified: false, tookMs: undefined, problem };
  if (orderId === undefined) return nothing;
  const order = await until<OrderView>(`${url}/orders/${orderId}`, ({ status }) =>
    ['completed', 'failed', 'cancelled'].includes(status),
  );
  const notificationId = order?.notification?.notificationId;
  if (order?.status !== 'completed' || !notificationId) {
    return { ...nothing, accepted: true, problem: `order ${orderId} stays ${order?.status ?? 'unanswered'}` };
  }
  progress.step('completed');
  const notification = await until<NotificationView>(`${url}/notifications/${notificationId}`, ({ status }) =>
    ['delivered', 'failed', 'cancelled'].includes(status),
  );
  if (notification?.status !== 'delivered') {
    return {
      ...nothing,
      accepted: true,
      completed: true,
      problem: `notification ${notificationId} is ${notification?.status ?? 'unanswered'}`,
    };
  }
  progress.step('notified');
  const tookMs = Date.parse(notification.deliveredAt) - postedAtMs;
  const { deliveredBy } = notification;
  const steps = { accepted: true, completed: true, notified: true };
  return { ...steps, notificationId, deliveredBy, tookMs, problem: undefined };
}

interface OrderView {
  readonly status: string;
  readonly notification?: { readonly notificationId: string };
}

interface NotificationView {
  readonly status: string;
  readonly deliveredAt: string;
  readonly deliveredBy: string;
}

/** Polls a URL until its answer is as wanted, or time is up. Resolves to the last answer. */
async function until<Thing>(url: string, wanted: (thing: Thing) => boolean): Promise<Thing | undefined> {
  const deadlineMs = Date.now() + PATIENCE_MS;
  let last: Thing | undefined;
  while (Date.now() < deadlineMs) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) {
      last = (await response.json()) as Thing;
      if (wanted(last)) return last;
    }
    await sleep(POLL_MS);
  }
  return last;
}
