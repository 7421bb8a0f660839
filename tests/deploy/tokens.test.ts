import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestIssuer } from 'baton-tasks/testing';
import { Deployment } from './deployment.ts';
import { System } from './system.ts';

/** Functions that run elsewhere, such as in containers, cannot read the issuer's keys from here. */
const whereTheyReach = process.env['FUNCTIONS_REACH_THIS_MACHINE'] ? describe : describe.skip;

whereTheyReach('a deploy with an issuer of tokens', () => {
  let issuer: TestIssuer;
  let deployment: Deployment;
  let system: System;
  beforeAll(async () => {
    issuer = await TestIssuer.start();
    const { JWT_ISSUER, JWT_AUDIENCE } = issuer.environment;
    const authentication = [`--param=jwt-issuer=${JWT_ISSUER}`, `--param=jwt-audience=${JWT_AUDIENCE}`];
    deployment = new Deployment(['--param=worker=none'], authentication);
    system = new System(deployment);
    await deployment.deploy();
  }, 120_000);
  afterAll(async () => {
    await deployment.remove().catch(() => undefined);
    await issuer.stop();
  }, 120_000);

  test('answers callers with the scopes of a route alone', async () => {
    const statusFor = async (token?: Promise<string>): Promise<number> => {
      const headers = token ? { authorization: `Bearer ${await token}` } : {};
      return (await system.ask('GET', '/tasks', undefined, headers)).status;
    };
    await expect(statusFor()).resolves.toBe(401);
    await expect(statusFor(issuer.token({ subject: 'c-1' }))).resolves.toBe(403);
    await expect(statusFor(issuer.token({ subject: 'o-1', scopes: ['operator'] }))).resolves.toBe(200);
    await expect(
      statusFor(issuer.token({ subject: 'o-1', scopes: ['operator'], claims: { aud: 'others' } })),
    ).resolves.toBe(401);
  });
});
