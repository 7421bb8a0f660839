import { retentionDays } from 'baton-tasks/http';
import { oneOf, text } from 'baton-tasks/service';
import { domainOf } from '@baton/common/contracts/mail-address';
import * as z from 'zod';

const DEFAULT_FROM = 'Baton <baton@localhost>';
/** A mail address, with or without a name before it. The name has no character that a header would have to quote. */
const FROM =
  /^(?:(?<name>[^\s"<>,;:@\\()[\]][^\r\n"<>,;:@\\()[\]]{0,98}) )?(?<open><)?(?<address>[^\s<>]{1,320})(?<close>>)?$/;

const smtpUrl = z.url({
  protocol: /^smtps?$/,
  hostname: /./,
  error: 'expected a URL such as smtp://user:password@mail.example.com:587',
});

const sender = z
  .string()
  .default(DEFAULT_FROM)
  .transform((value, context) => {
    const { name = '', open, address = '', close } = FROM.exec(value)?.groups ?? {};
    const domain = domainOf(address);
    const bracketed = open !== undefined && close !== undefined;
    const bare = open === undefined && close === undefined && name === '';
    if (domain !== undefined && (bracketed || bare)) return { name, address, domain };
    const message = 'expected a mail address such as shop@example.com or Shop <shop@example.com>';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

/** The service's own environment variables. */
export const variables = z.object({
  NOTIFICATIONS_TABLE: text("the name of this service's table"),
  /** How long a notification is kept after its end. */
  NOTIFICATION_RETENTION_DAYS: retentionDays(90),
  SMTP_TLS: oneOf(['required', 'optional'], 'required'),
  SMTP_FROM: sender,
});

/** The SMTP server for mails, with its password. Without one, mails stay in the outbox. */
export const secrets = z.object({ SMTP_URL: smtpUrl.optional() });

/** The sender of mails. */
export type Sender = z.output<typeof sender>;
