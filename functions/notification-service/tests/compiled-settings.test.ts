import { describe, expect, test } from '@jest/globals';
import { Program } from 'baton-dev/testing/program';

/** The stack that a deploy would read. */
async function printed(environment: Record<string, string>, args: readonly string[] = []): Promise<string> {
  const program = new Program('node_modules/serverless/bin/serverless.js', environment, ['print', ...args]);
  await expect(program.ended()).resolves.toBe(0);
  // Long texts are folded
  return program.output.replaceAll(/>-\n +/g, '');
}

describe('the SMTP server of a deploy', () => {
  test('is never taken from the environment of the machine that deploys', async () => {
    const stack = await printed({ SMTP_URL: 'smtp://me:secret@127.0.0.1', SMTP_FROM: 'me@home.example' });
    expect(stack).toContain("SMTP_URL: ''");
    expect(stack).not.toMatch(/secret|home\.example/);
  });

  test('is a parameter with the ARN of its secret, which only the consumer may read', async () => {
    const arn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:baton-dev/smtp-AbCdEf';
    const args = [`--param=smtp-url-secret=${arn}:url`, '--param=smtp-from=Shop <shop@shop.example>'];
    const stack = await printed({}, args);
    expect(stack.match(/SMTP_URL_SECRET: .*/g)).toEqual([`SMTP_URL_SECRET: ${arn}:url`]);
    expect(stack).toContain("SMTP_URL: ''");
    expect(stack.match(/secretsmanager:GetSecretValue\s+Resource: .*/g)).toEqual([
      expect.stringMatching(new RegExp(`Resource: ${arn}$`)),
    ]);
    expect(stack).toContain('SMTP_FROM: Shop <shop@shop.example>');
  });
});
