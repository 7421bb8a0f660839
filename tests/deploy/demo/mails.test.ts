import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { MailServer } from '@baton/notification-service/tests/mail-server';
import { Deployment, TEMPLATE } from '../deployment.ts';
import { type Enforced, enforceRoles } from '../enforced-roles.ts';
import { StoredSecret } from '../stored-secret.ts';
import { System } from '../system.ts';

/** Functions that run elsewhere, such as in containers, cannot send mails to this machine. */
const whereTheyReach = process.env['FUNCTIONS_REACH_THIS_MACHINE'] ? describe : describe.skip;
const CONSUMER = 'NotificationServiceDeliveriesLambdaFunction';
const mail = { channel: 'EMAIL', recipient: 'customer@example.com', subject: 'Your parcel', message: 'Here' };

whereTheyReach('the password of the SMTP server, in Secrets Manager', () => {
  let server: MailServer;
  let secret: StoredSecret;
  let deployment: Deployment;
  let enforced: Enforced;

  const textWith = (password: string): string =>
    JSON.stringify({ url: server.url.replace('//', `//shop:${password}@`) });

  beforeAll(async () => {
    server = await MailServer.start();
    server.password = 'first-one';
    secret = await StoredSecret.create(textWith('first-one'));
    deployment = new Deployment(['--param=worker=none', `--param=smtp-url-secret=${secret.arn}:url`]);
    await deployment.deploy();
    enforced = await enforceRoles(deployment);
  }, 120_000);
  afterAll(async () => {
    await enforced?.stop();
    await deployment.remove().catch(() => undefined);
    await secret.remove();
    await server.stop();
  }, 120_000);

  async function deliver(): Promise<void> {
    const system = new System(deployment);
    const posted = await system.ask('POST', '/notifications', mail);
    const delivered = await system.when(posted.headers.get('location') ?? '', 'delivered');
    expect(delivered['deliveredBy']).toBe('smtp');
  }

  test('is in no template and in no configuration of a function', async () => {
    const FunctionName = deployment.physicalId(CONSUMER);
    const { Environment } = await new LambdaClient().send(
      new GetFunctionConfigurationCommand({ FunctionName }),
    );
    expect(Environment?.Variables).toMatchObject({ SMTP_URL_SECRET: `${secret.arn}:url`, SMTP_URL: '' });
    expect(JSON.stringify(Environment)).not.toContain('first-one');
    const template = await readFile(TEMPLATE, 'utf8');
    expect(template).toContain(secret.arn);
    expect(template).not.toContain('first-one');
  });

  test('is fetched by the function that sends mails, by the right of its role', async () => {
    await deliver();
    expect(server.mails).toHaveLength(1);
    expect(enforced.refused).toEqual([]);
    expect(enforced.unused(CONSUMER).filter((use) => use.startsWith('secretsmanager:'))).toEqual([]);
  });

  test('may be rotated while the function runs', async () => {
    server.password = 'second-one';
    await secret.put(textWith('second-one'));
    server.hangUp();
    await deliver();
    expect(server.mails).toHaveLength(2);
  });
});
