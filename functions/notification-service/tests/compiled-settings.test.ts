import { describe, expect, test } from '@jest/globals';
import { Program } from 'baton-dev/testing/program';

/** The stack that a deploy would read. */
async function printed(environment: Record<string, string>, args: readonly string[] = []): Promise<string> {
  const program = new Program('node_modules/serverless/bin/serverless.js', environment, ['print', ...args]);
  await expect(program.ended()).resolves.toBe(0);
  return program.output;
}

describe('the SMTP server of a deploy', () => {
  test('is never taken from the environment of the machine that deploys', async () => {
    const stack = await printed({ SMTP_URL: 'smtp://me:secret@127.0.0.1', SMTP_FROM: 'me@home.example' });
    expect(stack).toContain("SMTP_URL: ''");
    expect(stack).not.toMatch(/secret|home\.example/);
  });

  test('is a parameter, and its password may stay in Secrets Manager', async () => {
    const reference = '{{resolve:secretsmanager:baton-dev/smtp:SecretString:url}}';
    const args = [`--param=smtp-url=${reference}`, '--param=smtp-from=Shop <shop@shop.example>'];
    const stack = await printed({}, args);
    expect(stack).toContain(`SMTP_URL: '${reference}'`);
    expect(stack).toContain('SMTP_FROM: Shop <shop@shop.example>');
  });
});
