import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createService, type Secret } from 'baton-tasks/service';
import { arnOfSecret, awsError, CREDENTIALS, SecretsManager } from 'baton-dev/testing/secrets-manager';
import { eventually } from 'baton-dev/testing/eventually';
import { secrets } from '../../config.ts';
import { MailFixture, WRONG_PASSWORD } from '../mail-fixture.ts';

const ARN = arnOfSecret('baton-dev/smtp');
const { accessKeyId, secretAccessKey, sessionToken } = CREDENTIALS;
const ofProcess = { ...process.env };

let fixture: MailFixture;
let manager: SecretsManager;
beforeEach(async () => {
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  });
  [fixture, manager] = await Promise.all([MailFixture.start(), SecretsManager.start()]);
});
afterEach(async () => {
  process.env = ofProcess;
  await Promise.all([fixture.stop(), manager.stop()]);
});

/** Keeps the URL of the SMTP server with this password in Secrets Manager. */
function keep(password: string): void {
  const url = fixture.server.url.replace('//', `//shop:${password}@`);
  manager.secrets.set(ARN, JSON.stringify({ url }));
}

/** The secret as the service reads it on AWS. */
function secret(): Secret<string> {
  const { secrets: read } = createService({
    name: 'notification-service',
    version: '1',
    port: 8002,
    secrets,
    environment: {
      AWS_REGION: 'us-east-1',
      QUEUE_URL_PREFIX: 'http://127.0.0.1:9/0/baton-',
      SMTP_URL_SECRET: `${ARN}:url`,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: manager.url,
    },
  });
  if (!read.SMTP_URL) throw new Error('The service has no secret');
  return read.SMTP_URL;
}

describe('the password of the SMTP server, in Secrets Manager', () => {
  test('is fetched once, before the first mail', async () => {
    keep('right');
    const source = fixture.consumer({}, secret());
    expect(manager.asked).toEqual([]);
    await fixture.sendMails(3);
    await source.invoke(3);
    expect(fixture.server.mails).toHaveLength(3);
    expect(manager.asked).toEqual([ARN]);
  });

  test('may be rotated: the next mail goes out with the new one, and uses no attempt more', async () => {
    keep('right');
    const source = fixture.consumer({}, secret());
    const ids = await fixture.sendMails(2);
    await source.invoke(1);
    fixture.server.password = 'new-one';
    keep('new-one');
    fixture.server.hangUp();
    await source.invoke(1);
    expect(fixture.server.mails).toHaveLength(2);
    await expect(fixture.attemptsOf(ids)).resolves.toEqual({ 1: 2 });
    expect(manager.asked).toHaveLength(2);
    expect(fixture.said('new-one') + fixture.said('right')).toBe(0);
  });

  test('keeps mails waiting if the server refuses it and it was not rotated', async () => {
    keep(WRONG_PASSWORD);
    const source = fixture.consumer({ failures: 1, probeAfterMs: 100 }, secret());
    const ids = await fixture.sendMails(1);
    await source.invoke(1);
    await expect(fixture.attemptsOf(ids)).resolves.toEqual({ 0: 1 });
    expect(fixture.server.mails).toHaveLength(0);
    expect(manager.asked).toHaveLength(2);
  });

  test.each([
    [
      'may not be read',
      'AccessDeniedException',
      'Its URL cannot be read: This process may not read the secret',
    ],
    ['does not exist', 'ResourceNotFoundException', 'Its URL cannot be read: The secret'],
  ])('keeps mails waiting if it %s, until it can be read', async (_what, type, says) => {
    keep('right');
    manager.answers.push(awsError(400, type));
    const source = fixture.consumer({ failures: 1, probeAfterMs: 1 }, secret());
    const ids = await fixture.sendMails(1);
    await source.invoke(1);
    await expect(fixture.attemptsOf(ids)).resolves.toEqual({ 0: 1 });
    expect(fixture.said(says)).toBeGreaterThan(0);
    await source.redeliverFailed();
    await eventually('the mail', async () => {
      await source.invoke(1);
      return fixture.server.mails.length === 1;
    });
    await expect(fixture.attemptsOf(ids)).resolves.toEqual({ 1: 1 });
  });
});
