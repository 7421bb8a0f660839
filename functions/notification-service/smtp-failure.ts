import { RejectTask } from 'baton-tasks';

const MAX_REPLY_CHARACTERS = 300;
/** What nodemailer calls a failure of the mail itself: of MAIL FROM, RCPT TO, DATA, or of what was to be sent. */
const OF_THE_MAIL = new Set(['EENVELOPE', 'EMESSAGE']);
/** The server closes the connection, whatever was asked (RFC 5321, section 3.8). */
const CLOSING = 421;
/** A command came out of order: of the session, not of the mail. */
const OUT_OF_ORDER = 503;
const ADDRESS = /[^\s<>"]+@[^\s<>"]+/g;

/** The SMTP server refused a mail, and may take it later: a reply of 400 to 499. */
export class SmtpRefusalError extends Error {
  override readonly name = 'SmtpRefusalError';
}

/** The SMTP server cannot be used at the moment, by no mail: no connection, no answer in time, no session. */
export class SmtpAwayError extends Error {
  override readonly name = 'SmtpAwayError';
}

/** A send was broken off from this side. */
export class SmtpAbortedError extends Error {
  override readonly name = 'SmtpAbortedError';
}

/** What nodemailer tells of a failure. */
interface SmtpError extends Error {
  readonly code?: string;
  readonly responseCode?: number;
}

/**
 * What a failed send means. A reply of 500 to 599 to the mail itself rejects it; to a login or a greeting it says that
 * the server is away, for no mail would fare better.
 *
 * The errors are new ones: nodemailer's own, and the servers' replies, name the recipient, who does not belong in a log.
 */
export function failureOf(thrown: unknown): Error {
  const { name, message, code = '', responseCode = 0 } = thrown as SmtpError;
  const said = message.replaceAll(ADDRESS, '(address)').slice(0, MAX_REPLY_CHARACTERS);
  if (name === 'AbortError') return new SmtpAbortedError(said);
  const ofTheMail = OF_THE_MAIL.has(code) && responseCode !== CLOSING && responseCode !== OUT_OF_ORDER;
  if (!ofTheMail) return new SmtpAwayError(`${said} (${code})`);
  if (responseCode >= 400 && responseCode < 500) return new SmtpRefusalError(said);
  return new RejectTask(`The SMTP server rejects the mail: ${said}`);
}
