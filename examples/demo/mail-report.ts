import { say, table } from './report.ts';
import type { FollowedOrder } from './follow-orders.ts';
import type { ArrivedMail } from './mail-server.ts';

const SHOWN = 5;

/**
 * Prints the mails that arrived, and compares them with the orders whose customers were notified. Returns how many are
 * wrong: missing, doubled, or without an order.
 */
export function printMails(mails: readonly ArrivedMail[], followed: readonly FollowedOrder[]): number {
  const rows = mails.slice(0, SHOWN).map(({ to, subject, messageId }) => [to, subject, messageId]);
  process.stdout.write(`\n${table([['to', 'subject', 'Message-ID'], ...rows])}\n`);
  if (mails.length > SHOWN) process.stdout.write(`and ${mails.length - SHOWN} more\n`);
  // A Message-ID starts with the id of its notification
  const arrived = mails.map(({ messageId }) => messageId.replace(/@.*/, ''));
  const notified = new Set(
    followed.flatMap(({ notified: yes, notificationId = '' }) => (yes ? [notificationId] : [])),
  );
  const once = new Set(arrived);
  const missing = [...notified].filter((id) => !once.has(id)).length;
  const doubled = arrived.length - once.size;
  const foreign = [...once].filter((id) => !notified.has(id)).length;
  const wrong = missing + doubled + foreign;
  say(
    wrong === 0 ? 'green' : 'red',
    wrong === 0
      ? `${mails.length} mails arrived, one for each customer.`
      : `${mails.length} mails arrived for ${notified.size} customers: ${missing} missing, ${doubled} doubled, ${foreign} of nobody's.`,
  );
  return wrong;
}
