import { notificationSchema, sendNotification } from '@baton/common/contracts/notifications';
import {
  createApi,
  cursorOf,
  hashOfRequest,
  IdempotencyKeys,
  Intake,
  notFound,
  pageQuery,
  Problem,
  readable,
  route,
} from 'baton-tasks/http';
import * as z from 'zod';
import { NotificationRequests, positionSchema } from './requests.ts';
import { notifications, retention, service } from './service.ts';
import { listingOf, newRow, type NotificationRow } from './store.ts';

/** A message goes out in the shop's name, and its text and recipient are a customer's data. */
const OPERATOR = { scopes: ['operator'] } as const;

/** A script of an operator that runs wild sends no flood of mails. */
const MAILS = { rate: 20, burst: 40 } as const;

const newNotificationSchema = z.discriminatedUnion(
  'channel',
  notificationSchema.options.map((option) => option.strict()) as unknown as typeof notificationSchema.options,
);
const table = {
  documents: service.documents,
  table: service.config.NOTIFICATIONS_TABLE,
  key: 'notificationId',
};
const keys = new IdempotencyKeys({ ...table, namespace: '0b9c6f6e-70a5-4b0e-8d0e-5b1f1e6a9d42' });
// Not in the store, so that the bundle of the consumer, which takes no requests, does not have it
const intake = new Intake<NotificationRow>({ ...table, logger: service.logger });
const requests = new NotificationRequests(table.documents, table.table, retention);
const listSchema = z.strictObject({ ...pageQuery, recipient: z.string().min(1).max(320).optional() });
const cursor = cursorOf(positionSchema);

const postNotification = route(
  'POST',
  '/notifications',
  { access: OPERATOR, throttle: MAILS, body: readable(newNotificationSchema, { lines: ['message'] }) },
  async ({ body, caller, headers, trace }) => {
    const requestHash = hashOfRequest(body);
    // The notification's id is also its task's id, so the consumer finds the row by it
    const notificationId = await keys.idOf({ headers, caller, requestHash });
    const sendTask = () => service.tasks.send(sendNotification, body, { taskId: notificationId, trace });
    const row = newRow(notificationId, body);
    await intake.accept({ id: notificationId, requestHash, row, listing: listingOf(body), sendTask });
    return {
      status: 202,
      headers: { location: `/notifications/${notificationId}` },
      body: { notificationId, taskId: notificationId, status: 'accepted' },
    };
  },
);

const getNotification = route(
  'GET',
  '/notifications/{notificationId}',
  { access: OPERATOR },
  async ({ param }) => {
    const row = await notifications.find(param('notificationId'));
    if (!row) throw notFound('notification', param('notificationId'));
    return { status: 200, body: notificationView(row) };
  },
);

const deleteNotification = route(
  'DELETE',
  '/notifications/{notificationId}',
  { access: OPERATOR },
  async ({ caller, param }) => {
    const notificationId = param('notificationId');
    const row = await notifications.find(notificationId);
    if (!row) throw notFound('notification', notificationId);
    if (await requests.erase(row, caller.subject)) return { status: 204 };
    throw new Problem('task-not-ended', {
      detail: `The notification ${JSON.stringify(notificationId)} is ${row.status}, or has just changed; expected one that has ended.`,
    });
  },
);

const listNotifications = route(
  'GET',
  '/notifications',
  { access: OPERATOR, query: listSchema },
  async ({ query }) => {
    const after = cursor.decode(query.cursor);
    const page = await requests.list({ recipient: query.recipient, limit: query.limit, after });
    const { items, nextCursor } = cursor.page(page.notifications, page.next, notificationView);
    return { status: 200, body: { notifications: items, nextCursor } };
  },
);

/** The API of notification-service. */
export const handler = createApi(service, [
  postNotification,
  getNotification,
  listNotifications,
  deleteNotification,
]);

/** The part of a notification that callers see. */
function notificationView(row: NotificationRow) {
  return {
    notificationId: row.notificationId,
    status: row.status,
    channel: row.channel,
    recipient: row.recipient,
    subject: row.subject,
    message: row.message,
    createdAt: row.createdAt,
    deliveredAt: row.deliveredAt,
    deliveredBy: row.deliveredBy,
    failure: row.failure,
    reason: row.reason,
  };
}
