import { describe, expect, test } from '@jest/globals';
import { parseConfig } from 'baton-tasks/service';
import { secrets, variables } from '../config.ts';

const environment = {
  AWS_REGION: 'us-east-1',
  QUEUE_URL_PREFIX: 'http://127.0.0.1:4566/000000000000/baton-dev-',
  TASKS_TABLE: 'baton-dev-tasks',
  NOTIFICATIONS_TABLE: 'baton-dev-notifications',
};

test('mails stay in the outbox if no SMTP server is set', () => {
  expect(parseConfig(secrets, { ...environment, SMTP_URL: '' }).SMTP_URL).toBeUndefined();
});

describe('the sender of mails', () => {
  test.each([
    ['', { name: 'Baton', address: 'baton@localhost', domain: 'localhost' }],
    ['shop@shop.example', { name: '', address: 'shop@shop.example', domain: 'shop.example' }],
    ['<shop@shop.example>', { name: '', address: 'shop@shop.example', domain: 'shop.example' }],
    [
      'The Shop <shop@shop.example>',
      { name: 'The Shop', address: 'shop@shop.example', domain: 'shop.example' },
    ],
    [
      'Bücher <a&b@bücher.example>',
      { name: 'Bücher', address: 'a&b@bücher.example', domain: 'xn--bcher-kva.example' },
    ],
    ['Käse & Co. <o+k@a.b-c.d>', { name: 'Käse & Co.', address: 'o+k@a.b-c.d', domain: 'a.b-c.d' }],
  ])('may be %j', (SMTP_FROM, from) => {
    expect(parseConfig(variables, { ...environment, SMTP_FROM })).toMatchObject({
      SMTP_TLS: 'required',
      SMTP_FROM: from,
    });
  });

  test.each([
    'shop',
    'The Shop shop@shop.example',
    'The Shop <shop@shop.example',
    'a@b, c@d',
    'a@b\r\nBcc: c@d',
    'A\r\nBcc: c@d <a@b>',
    '"A" <a@b>',
    'a@b.',
    'a@-b',
    `a@${'b'.repeat(300)}`,
  ])('may not be %j', (SMTP_FROM) => {
    expect(() => parseConfig(variables, { ...environment, SMTP_FROM })).toThrow(
      /SMTP_FROM held .*expected a mail address/,
    );
  });
});

test.each(['mail.example.com', 'http://mail.example.com', 'smtp://', 'smtp:mail.example.com', 'smtp://:25'])(
  '%j is refused as an SMTP server',
  (SMTP_URL) => {
    expect(() => parseConfig(secrets, { ...environment, SMTP_URL })).toThrow(
      /SMTP_URL held .*expected a URL/,
    );
  },
);

test('the error about a wrong SMTP_URL does not show its password', () => {
  const read = (): unknown =>
    parseConfig(secrets, { ...environment, SMTP_URL: 'http://me:secret@mail.example.com' });
  expect(read).toThrow('SMTP_URL held "http://***@mail.example.com": expected a URL such as smtp://');
});
