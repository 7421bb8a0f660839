import { domainToASCII } from 'node:url';
import * as z from 'zod';

/** The longest domain, in bytes as DNS has it (RFC 1035, section 2.3.4). */
const MAX_DOMAIN_BYTES = 253;

/**
 * A dot-atom (RFC 5322, section 3.2.3) with the characters beyond ASCII that RFC 6531 adds, and a domain of letters,
 * digits and hyphens of any script. No control characters, blanks, brackets or quotes: none of it can end a header.
 */
const MAIL_ADDRESS =
  /^(?:[\w!#$%&'*+/=?^`{|}~-]|[^\p{ASCII}\p{C}\p{Z}]|\p{Join_Control})+(?:\.(?:[\w!#$%&'*+/=?^`{|}~-]|[^\p{ASCII}\p{C}\p{Z}]|\p{Join_Control})+)*@(?<domain>(?:[\p{L}\p{M}\p{N}.-]|\p{Join_Control})+)$/u;
/** A domain as DNS has it: labels of up to 63 characters, the last one not a number, which would be an IP address. */
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The domain of a mail address as DNS and headers have it, such as `xn--bcher-kva.example`; nothing where it is none. */
export function domainOf(address: string): string | undefined {
  const { domain = '' } = MAIL_ADDRESS.exec(address)?.groups ?? {};
  // It would decode percent signs and read numbers as IP addresses; neither is in what matches
  const ascii = domainToASCII(domain).toLowerCase();
  return ascii.length <= MAX_DOMAIN_BYTES && DOMAIN.test(ascii) ? ascii : undefined;
}

/**
 * A mail address, also one with a domain or a local part beyond ASCII (RFC 6531). Its domain has two labels at least. Not
 * taken: quoted local parts, comments, IP addresses.
 */
export const mailAddressSchema = z
  .string()
  .max(320)
  .regex(MAIL_ADDRESS, { error: 'expected a mail address such as ada@example.com', abort: true })
  .refine(
    (address) => domainOf(address)?.includes('.') ?? false,
    'expected a domain after the @ that DNS can have, such as example.com or b\u00FCcher.example',
  );
