import { domainToASCII, domainToUnicode } from 'node:url';
import * as z from 'zod';

/** The longest domain, in bytes as DNS has it (RFC 1035, section 2.3.4). */
const MAX_DOMAIN_BYTES = 253;
/** What is before the `@` (RFC 5321, section 4.5.3.1.1), in bytes of UTF-8 (RFC 6531, section 3.3). */
const MAX_LOCAL_BYTES = 64;
/** What SMTP takes between angle brackets (RFC 5321, section 4.5.3.1.3). */
const MAX_ADDRESS_BYTES = 254;

/**
 * A dot-atom (RFC 5322, section 3.2.3) with the characters beyond ASCII that RFC 6531 adds, and a domain of letters,
 * digits, hyphens and what is beyond ASCII: UTS 46 says which of that a domain can have, such as the middle dots of Catalan
 * and Japanese, and what stands for a dot. No control characters, blanks, brackets or quotes: none of it can end a header.
 */
const MAIL_ADDRESS =
  /^(?:[\w!#$%&'*+/=?^`{|}~-]|[^\p{ASCII}\p{C}\p{Z}]|\p{Join_Control})+(?:\.(?:[\w!#$%&'*+/=?^`{|}~-]|[^\p{ASCII}\p{C}\p{Z}]|\p{Join_Control})+)*@(?<domain>(?:[a-zA-Z0-9.-]|[^\p{ASCII}\p{C}\p{Z}]|\p{Join_Control})+)$/u;
/** A domain as DNS has it: labels of up to 63 characters, the last one not a number, which would be an IP address. */
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The domain of a mail address as DNS and headers have it, such as `xn--bcher-kva.example`; nothing where it is none. */
export function domainOf(address: string): string | undefined {
  const { domain = '' } = MAIL_ADDRESS.exec(address)?.groups ?? {};
  // It would decode percent signs and read numbers as IP addresses; neither is in what matches
  const ascii = domainToASCII(domain).toLowerCase();
  const isOne = ascii.length <= MAX_DOMAIN_BYTES && DOMAIN.test(ascii) && ascii.split('.').every(isLabel);
  return isOne ? ascii : undefined;
}

/** `xn--` promises characters beyond ASCII (RFC 5890, section 2.3.2.1); no registry has a label that breaks the promise. */
function isLabel(label: string): boolean {
  return (
    !label.startsWith('xn--') ||
    (domainToASCII(domainToUnicode(label)) === label && domainToUnicode(label) !== label)
  );
}

/** The length of a text before its `@`, in bytes of UTF-8. */
function localBytes(address: string): number {
  return Buffer.byteLength(address.slice(0, Math.max(0, address.indexOf('@'))));
}

/**
 * A mail address, also one with a domain or a local part beyond ASCII (RFC 6531). Its domain has two labels at least. Not
 * taken: quoted local parts, comments, IP addresses, and what is longer than SMTP takes.
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
    error: 'expected a domain after the @ that DNS can have, such as example.com or b\u00FCcher.example',
    abort: true,
  })
  .refine((address) => localBytes(address) + 1 + (domainOf(address)?.length ?? 0) <= MAX_ADDRESS_BYTES, {
    error: `expected at most ${MAX_ADDRESS_BYTES} bytes in all, the domain as DNS has it`,
  });
