import { RejectTask } from 'baton-tasks';

const MAX_REPLY_CHARACTERS = 300;
/** A server may send a reply of a megabyte. No more than this is looked at. */
const MAX_READ_CHARACTERS = 4000;
/** nodemailer's codes for a failure of the mail itself: of MAIL FROM, RCPT TO, DATA, or of its content. */
const OF_THE_MAIL = new Set(['EENVELOPE', 'EMESSAGE']);
/** The server closes the connection, whatever the command (RFC 5321, section 3.8). */
const CLOSING = 421;
/** A command came out of order: a fault of the session, not of the mail. */
const OUT_OF_ORDER = 503;
/** Bounded, because an unbounded repetition before the `@` takes quadratic time. An address has at most 254 characters. */
const ADDRESS = /[^\s<>"@]{1,254}@[^\s<>"@]{1,254}/g;

/** The SMTP server refused a mail and may accept it later: a reply of 400 to 499. */
export class SmtpRefusalError extends Error {
  override readonly name = 'SmtpRefusalError';
}

/** The SMTP server cannot take any mail at the moment: no connection, no answer in time, or no session. */
export class SmtpAwayError extends Error {
  override readonly name = 'SmtpAwayError';
}

/** This process aborted the send. */
export class SmtpAbortedError extends Error {
  override readonly name = 'SmtpAbortedError';
}

/** An error of nodemailer. */
interface SmtpError extends Error {
  readonly code?: string;
  readonly responseCode?: number;
}

/** Whether the server refused the user or the password. */
export function isLoginRefused(thrown: unknown): boolean {
  return (thrown as SmtpError).code === 'EAUTH';
}

/**
 * Classifies a failed send. A reply of 500 to 599 to the mail itself rejects it. As a reply to a login or a greeting it
 * means that the server is away, because every other mail would fail too.
 *
 * It returns a new error without mail addresses: nodemailer's errors name the recipient, who does not belong in a log.
 * Callers see the message of a rejection, so the server's words, which may name hosts and rules, are its cause.
 */
export function failureOf(thrown: unknown): Error {
  if (thrown instanceof SmtpAwayError) return thrown;
  const { name, message, code = '', responseCode = 0 } = thrown as SmtpError;
  const read = message.slice(0, MAX_READ_CHARACTERS);
  const said = read.replaceAll(ADDRESS, '(address)').slice(0, MAX_REPLY_CHARACTERS);
  if (name === 'AbortError') return new SmtpAbortedError(said);
  const ofTheMail = OF_THE_MAIL.has(code) && responseCode !== CLOSING && responseCode !== OUT_OF_ORDER;
  if (!ofTheMail) return new SmtpAwayError(`${said} (${code})`);
  if (responseCode >= 400 && responseCode < 500) return new SmtpRefusalError(said);
  return new RejectTask(`The SMTP server refuses the mail (${responseCode || code})`, {
    cause: new Error(said),
  });
}
