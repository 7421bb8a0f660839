import { describe, expect, test } from '@jest/globals';
import { domainOf, mailAddressSchema } from '@baton/common/contracts/mail-address';

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
    [`${'l'.repeat(300)}@example.com`, 'example.com'],
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
    ['a@127.0.0.1', /a domain after the @ that DNS can have/],
    ['a@0x7f.1', /a domain after the @ that DNS can have/],
    ['a@localhost', /a domain after the @ that DNS can have/],
    ['a@-a.example', /a domain after the @ that DNS can have/],
    ['a@example..com', /a domain after the @ that DNS can have/],
    ['a@example.com.', /a domain after the @ that DNS can have/],
    [`a@${'x'.repeat(64)}.com`, /a domain after the @ that DNS can have/],
    [`a@${'x.'.repeat(130)}com`, /a domain after the @ that DNS can have/],
    [`${'l'.repeat(320)}@example.com`, /320/],
  ])('%j', (address, says) => {
    expect(mailAddressSchema.safeParse(address).error?.issues[0]?.message).toMatch(says);
  });
});
