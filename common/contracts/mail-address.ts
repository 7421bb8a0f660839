import { domainToASCII, domainToUnicode } from 'node:url';
import * as z from 'zod';

/** The longest domain, in bytes of its DNS form (RFC 1035, section 2.3.4). */
const MAX_DOMAIN_BYTES = 253;
/** The longest local part, before the `@` (RFC 5321, section 4.5.3.1.1), in bytes of UTF-8 (RFC 6531, section 3.3). */
const MAX_LOCAL_BYTES = 64;
/** The longest address that SMTP takes between angle brackets (RFC 5321, section 4.5.3.1.3). */
const MAX_ADDRESS_BYTES = 254;

/**
 * A dot-atom (RFC 5322, section 3.2.3) with the characters beyond ASCII that RFC 6531 adds, and a domain of letters,
 * digits, hyphens and characters beyond ASCII. UTS 46 then says which of these a domain can have, such as the middle dots
 * of Catalan and Japanese, and which are dots. Control characters, blanks, brackets and quotes are refused, so an address
 * cannot end a header.
 */
const MAIL_ADDRESS =
  /^(?:[\w!#$%&'*+/=?^`{|}~-]|[^\p{ASCII}\p{C}\p{Z}]|\p{Join_Control})+(?:\.(?:[\w!#$%&'*+/=?^`{|}~-]|[^\p{ASCII}\p{C}\p{Z}]|\p{Join_Control})+)*@(?<domain>(?:[a-zA-Z0-9.-]|[^\p{ASCII}\p{C}\p{Z}]|\p{Join_Control})+)$/u;
/** A domain in its DNS form: labels of up to 63 characters. The last one is no number, because that would be an IP address. */
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The domain of a mail address in its DNS form, such as `xn--bcher-kva.example`. undefined if it is no valid domain. */
export function domainOf(address: string): string | undefined {
  const { domain = '' } = MAIL_ADDRESS.exec(address)?.groups ?? {};
  // URL would decode percent signs and read numbers as IP addresses; the pattern has excluded both
  const ascii = domainToASCII(domain).toLowerCase();
  const isOne = ascii.length <= MAX_DOMAIN_BYTES && DOMAIN.test(ascii) && ascii.split('.').every(isLabel);
  return isOne ? ascii : undefined;
}

/** A label with `xn--` must decode to characters beyond ASCII (RFC 5890, section 2.3.2.1). */
function isLabel(label: string): boolean {
  return (
    !label.startsWith('xn--') ||
    (domainToASCII(domainToUnicode(label)) === label && domainToUnicode(label) !== label)
  );
}

/** The length of the local part, in bytes of UTF-8. */
function localBytes(address: string): number {
  return Buffer.byteLength(address.slice(0, Math.max(0, address.indexOf('@'))));
}

/**
 * A mail address. Its domain and its local part may have characters beyond ASCII (RFC 6531). Its domain has at least two
 * labels. Refused are quoted local parts, comments, IP addresses, and addresses that are too long for SMTP.
 */
export const mailAddressSchema = z
  .string()
  .max(320)
  .regex(MAIL_ADDRESS, { error: 'expected a mail address such as ada@example.com', abort: true })
  .refine((address) => localBytes(address) <= MAX_LOCAL_BYTES, {
    error: `expected at most ${MAX_LOCAL_BYTES} bytes before the @`,
    abort: true,
  })
  .refine((address) => domainOf(address)?.includes('.') ?? false, {
    error: 'expected a domain after the @ that DNS allows, such as example.com or b\u00FCcher.example',
    abort: true,
  })
  .refine((address) => localBytes(address) + 1 + (domainOf(address)?.length ?? 0) <= MAX_ADDRESS_BYTES, {
    error: `expected at most ${MAX_ADDRESS_BYTES} bytes in all, with the domain in its DNS form`,
  });
