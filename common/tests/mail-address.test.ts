import { describe, expect, test } from '@jest/globals';
import { domainOf, mailAddressSchema } from '../contracts/mail-address.ts';

describe('a mail address may be', () => {
  test.each([
    ['a&b@example.com', 'example.com'],
    ["!#$%&'*+-/=?^_`{|}~.x@example.com", 'example.com'],
    ['A.B+c@EXAMPLE.Com', 'example.com'],
    ['a@sub.xn--bcher-kva.example', 'sub.xn--bcher-kva.example'],
    ['a@b\u00FCcher.example', 'xn--bcher-kva.example'],
    ['a@\u043F\u0440\u0438\u043C\u0435\u0440.\u0440\u0444', 'xn--e1afmkfd.xn--p1ai'],
    ['a@xn--e1afmkfd.xn--p1ai', 'xn--e1afmkfd.xn--p1ai'],
    ['a@fa\u00DF.de', 'xn--fa-hia.de'],
    ['\u03B4\u03BF\u03BA\u03B9\u03BC\u03AE@example.com', 'example.com'],
    ['\u{1F44D}@example.com', 'example.com'],
    ['1@2.co', '2.co'],
    [`${'l'.repeat(64)}@example.com`, 'example.com'],
    [`${'\u00E4'.repeat(32)}@example.com`, 'example.com'],
    [`${'l'.repeat(64)}@${'abc.'.repeat(47)}a`, `${'abc.'.repeat(47)}a`],
    // RFC 5892, A.3 to A.9 and 2.6: beyond letters, marks and digits
    ['a@col\u00B7legi.cat', 'xn--collegi-xma.cat'],
    ['a@\u0375\u03B1.gr', 'xn--wva4j.gr'],
    ['a@\u05E6\u05D4\u05F4\u05DC.\u05D9\u05E9\u05E8\u05D0\u05DC', 'xn--8dbq2a9c.xn--4dbrk0ce'],
    ['a@\u05D9\u05D5\u05D7\u05E0\u05DF\u05F3.com', 'xn--9dbee0ae9i.com'],
    ['a@\u30BD\u30FB\u30CB\u30FC.jp', 'xn--3ck2a9jf.jp'],
    ['a@\u0646\u06FD\u0646.com', 'xn--ihba26c.com'],
    ['a@\u0F0B.com', 'xn--nbd.com'],
    ['a@\u3007.jp', 'xn--w6j.jp'],
    // Some registries have these, although RFC 5892 excludes them
    ['a@i\u2764.ws', 'xn--i-7iq.ws'],
    // RFC 3490, section 3.1: other characters that are dots
    ['\u7528\u6237@\u4F8B\u3048\u3002\u30C6\u30B9\u30C8', 'xn--r8jz45g.xn--zckzah'],
    ['a@\u4F8B\u3048\uFF0E\u30C6\u30B9\u30C8', 'xn--r8jz45g.xn--zckzah'],
    ['a@\u4F8B\u3048\uFF61\u30C6\u30B9\u30C8', 'xn--r8jz45g.xn--zckzah'],
    ['a@\u0646\u0627\u0645\u0647\u200C\u0627\u06CC.com', 'xn--mgba3gch31f060k.com'],
    ['a@xn--mgba3gch31f060k.com', 'xn--mgba3gch31f060k.com'],
    ['a@ab--cd.com', 'ab--cd.com'],
  ])('%s', (address, domain) => {
    expect(mailAddressSchema.parse(address)).toBe(address);
    expect(domainOf(address)).toBe(domain);
  });
});

describe('a mail address may not be', () => {
  test.each([
    ['', /expected a mail address/],
    ['a', /expected a mail address/],
    ['a..b@example.com', /expected a mail address/],
    ['.a@example.com', /expected a mail address/],
    ['a.@example.com', /expected a mail address/],
    ['"a b"@example.com', /expected a mail address/],
    ['a b@example.com', /expected a mail address/],
    ['a@b@example.com', /expected a mail address/],
    ['a@example.com, c@example.com', /expected a mail address/],
    ['A <a@example.com>', /expected a mail address/],
    ['a@example.com\r\nBcc: c@example.com', /expected a mail address/],
    ['a\r\nRCPT TO:<c@example.com>@example.com', /expected a mail address/],
    ['a\u0000@example.com', /expected a mail address/],
    ['a\u0085@example.com', /expected a mail address/],
    ['a\u2028@example.com', /expected a mail address/],
    ['a\u202E@example.com', /expected a mail address/],
    ['a\uD800@example.com', /expected a mail address/],
    ['a@[127.0.0.1]', /expected a mail address/],
    ['a@ex%61mple.com', /expected a mail address/],
    ['a@127.0.0.1', /a domain after the @ that DNS allows/],
    ['a@0x7f.1', /a domain after the @ that DNS allows/],
    ['a@localhost', /a domain after the @ that DNS allows/],
    ['a@-a.example', /a domain after the @ that DNS allows/],
    ['a@example..com', /a domain after the @ that DNS allows/],
    ['a@example.com.', /a domain after the @ that DNS allows/],
    [`a@${'x'.repeat(64)}.com`, /a domain after the @ that DNS allows/],
    [`a@${'x.'.repeat(130)}com`, /a domain after the @ that DNS allows/],
    ['a@xn--zzzzzzzz99999.com', /a domain after the @ that DNS allows/],
    ['a@xn--abc.example', /a domain after the @ that DNS allows/],
    ['a@\uFF11\uFF12\uFF17.0.0.1', /a domain after the @ that DNS allows/],
    ['a@a\uFF0Fb.example', /a domain after the @ that DNS allows/],
    ['a@b\uFF20c.example', /a domain after the @ that DNS allows/],
    ['a@\u4F8B\u3048\u3002\u3002\u30C6\u30B9\u30C8', /a domain after the @ that DNS allows/],
    ['a@\u2028b.example', /expected a mail address/],
    ['a@b\u00ADc.example', /expected a mail address/],
    [`${'l'.repeat(65)}@example.com`, /at most 64 bytes before the @/],
    [`${'\u00E4'.repeat(33)}@example.com`, /at most 64 bytes before the @/],
    [`${'l'.repeat(64)}@${'abc.'.repeat(47)}ab`, /at most 254 bytes in all/],
    [`${'l'.repeat(320)}@example.com`, /320/],
  ])('%j', (address, says) => {
    expect(mailAddressSchema.safeParse(address).error?.issues[0]?.message).toMatch(says);
  });
});
