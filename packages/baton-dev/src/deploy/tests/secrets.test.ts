import { describe, expect, test } from '@jest/globals';
import type { Part } from '../../stack/part.ts';
import { StackError } from '../../stack/stack-error.ts';
import { compileStack } from '../stack.ts';
import { describeStack } from '../../stack/described-stack.ts';
import { statementsOf } from '../../testing/compiled-stack.ts';
import { parameterNames, readParameters } from '../parameters.ts';
import { secretParametersOf } from '../secrets.ts';

const ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/login-AbCdEf';
const part: Part = {
  parameters: { 'shop-login': 'The login of the shop', 'shop-key': 'The key of the shop' },
  functions: {
    reads: {
      handler: 'x.y',
      environment: { SHOP: 'Baton' },
      access: { secrets: { SHOP_LOGIN: 'shop-login', SHOP_KEY: 'shop-key' } },
    },
    other: { handler: 'x.y', access: {} },
  },
};

/** The stack of a deploy with these parameters. */
function compiled(given: Record<string, string>, described: Part = part) {
  const parts = new Map([['functions/shop', described]]);
  const parameters = readParameters(given, parameterNames(parts), secretParametersOf(parts.values()));
  return compileStack({
    described: describeStack({ parts: [...parts.values()], contracts: [], implemented: [], stage: 'dev' }),
    parameters: { ...parameters, worker: 'none' },
    stage: 'dev',
    environment: {},
  });
}

describe('a secret that a function may read', () => {
  test('is a variable with its ARN, and the right to read it alone', () => {
    const { functions, resources } = compiled({ 'shop-login': `${ARN}:url` });
    expect(functions['reads']?.environment).toEqual({ SHOP: 'Baton', SHOP_LOGIN_SECRET: `${ARN}:url` });
    expect(statementsOf(resources, 'ReadsRole').slice(1)).toEqual([
      { Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: ARN },
    ]);
  });

  test('is not for another function', () => {
    const { functions, resources } = compiled({ 'shop-login': ARN });
    expect(functions['other']?.environment).toEqual({});
    expect(JSON.stringify(statementsOf(resources, 'OtherRole'))).not.toContain('secretsmanager');
  });

  test('is for all functions if it holds the keys of signatures', () => {
    const { functions, resources } = compiled({ 'signing-keys': ARN });
    for (const [name, role] of Object.entries({ reads: 'ReadsRole', other: 'OtherRole' })) {
      expect(functions[name]?.environment).toMatchObject({ TASK_SIGNING_KEYS_SECRET: ARN });
      expect(JSON.stringify(statementsOf(resources, role))).toContain(ARN);
    }
  });

  test('makes one right if two variables read members of it', () => {
    const { resources } = compiled({ 'shop-login': `${ARN}:login`, 'shop-key': `${ARN}:key` });
    expect(statementsOf(resources, 'ReadsRole').slice(1)).toEqual([
      { Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: ARN },
    ]);
  });

  test('that a deploy does not name makes no variable and no right', () => {
    const { functions, resources } = compiled({ 'shop-login': '' });
    expect(functions['reads']?.environment).toEqual({ SHOP: 'Baton' });
    expect(statementsOf(resources, 'ReadsRole')).toHaveLength(1);
  });

  test.each([
    'a password',
    'smtps://me:a password@mail.example.com',
    '{{resolve:secretsmanager:shop:SecretString:url}}',
    ARN.replace('-AbCdEf', ''),
    ARN.replace('login-AbCdEf', '*-AbCdEf'),
  ])('is refused if the parameter holds anything else: %s', (value) => {
    const deploy = (): unknown => compiled({ 'shop-login': value });
    expect(deploy).toThrow('shop-login: expected the whole ARN of a secret in Secrets Manager');
    expect(deploy).toThrow(StackError);
    expect(deploy).not.toThrow('a password');
  });

  test.each<[string, object, string]>([
    ['names no parameter', { SHOP_LOGIN: 'none' }, 'uses the parameter none: expected a line for it'],
    ['has no variable', { 'shop-login': 'shop-login' }, 'The access of the function reads'],
    ['is a list', ['shop-login'], 'expected the parameter of each secret by its variable'],
  ])('is refused if its line %s', (_what, secrets, says) => {
    const reads = { handler: 'x.y', access: { secrets } };
    expect(() => compiled({}, { ...part, functions: { reads } })).toThrow(says);
  });
});
