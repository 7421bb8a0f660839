import { afterEach, describe, expect, test } from '@jest/globals';
import { ask, READY, startRuntime } from 'baton-dev/testing/embedded-runtime';
import { freePorts, type Program } from 'baton-dev/testing/program';
import { TestIssuer } from 'baton-tasks/testing';

let runtime: Program | undefined;
afterEach(() => runtime?.stop(), 20_000);

/** Starts the runtime. Resolves to a function that lists the tasks, and resolves to the status. */
async function start(environment: Record<string, string>) {
  const ports = await freePorts();
  const url = `http://127.0.0.1:${ports['HTTP_PORT']}`;
  runtime = startRuntime({ ...ports, ...environment });
  await runtime.says(READY, 40_000);
  const statusFor = async (token?: string): Promise<number> =>
    (await ask(url, ['GET', '/tasks'], undefined, token ? { authorization: `Bearer ${token}` } : {})).status;
  return { url, output: runtime.output, statusFor };
}

describe('the API of the embedded runtime', () => {
  test('is open to this machine, and the start says so and how to close it', async () => {
    const { output, statusFor } = await start({});
    expect(output).toContain(
      'open to everybody on this machine (AUTHENTICATION=jwt npm start asks for tokens)',
    );
    await expect(statusFor()).resolves.toBe(200);
  }, 60_000);

  test('asks for a token with AUTHENTICATION=jwt, and the start shows one for a customer and one for an operator', async () => {
    const { url, output, statusFor } = await start({ AUTHENTICATION: 'jwt' });
    const tokenOf = (name: string) => new RegExp(`${name} +(\\S+)`).exec(output)?.[1];
    await expect(statusFor()).resolves.toBe(401);
    await expect(statusFor(tokenOf('customer'))).resolves.toBe(403);
    await expect(statusFor(tokenOf('operator'))).resolves.toBe(200);
    const examples = output.split('\n').filter((line) => line.includes('curl '));
    expect(examples.every((line) => line.includes(`Bearer ${tokenOf('customer')}`))).toBe(true);
    const preflight = await fetch(`${url}/tasks`, { method: 'OPTIONS' });
    expect([preflight.status, preflight.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS']);
  }, 60_000);

  test('accepts the tokens of another issuer', async () => {
    const issuer = await TestIssuer.start();
    const { JWT_ISSUER, JWT_AUDIENCE } = issuer.environment;
    const { output, statusFor } = await start({ JWT_ISSUER, JWT_AUDIENCE });
    expect(output).toContain(`with a token of ${JWT_ISSUER}`);
    await expect(statusFor()).resolves.toBe(401);
    await expect(statusFor(await issuer.token({ subject: 'o', scopes: ['operator'] }))).resolves.toBe(200);
    await issuer.stop();
  }, 60_000);
});
