const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
/** The options of nodemailer that a URL may have and that weaken TLS. */
const WEAKENING = /^(?:ignoreTLS|requireTLS|secure|opportunisticTLS|tls\..*)$/;

/** The options of nodemailer for a server. */
export interface SmtpServer {
  readonly url: string;
  /** Whether mails wait unless the server offers TLS. */
  readonly requireTLS: boolean;
}

/**
 * Reads the URL of an SMTP server. A password goes over TLS only, with a valid certificate, whatever the options in the URL
 * say. Except to this machine itself, or if TLS is `optional`.
 */
export function smtpServer(url: string, tls: 'required' | 'optional'): SmtpServer {
  const parsed = new URL(url);
  const mayBeClear = parsed.password === '' || tls === 'optional' || LOOPBACK.test(parsed.hostname);
  if (mayBeClear) return { url, requireTLS: false };
  for (const name of new Set(parsed.searchParams.keys()))
    if (WEAKENING.test(name)) parsed.searchParams.delete(name);
  return { url: parsed.href, requireTLS: true };
}
