import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  arnOfSecret,
  awsError,
  CREDENTIALS,
  type SecretsAnswer,
  SecretsManager,
} from 'baton-dev/testing/secrets-manager';
import { readSecret, secretReference } from '../secrets-manager.ts';

const ARN = arnOfSecret('shop/smtp');
const hangUp: SecretsAnswer = (response) => response.destroy();
const broken: SecretsAnswer = (response) => response.writeHead(502).end('<html>');

let manager: SecretsManager;
beforeEach(async () => {
  manager = await SecretsManager.start();
});
afterEach(() => manager.stop());

const read = (reference = ARN, credentials = CREDENTIALS): Promise<string> =>
  readSecret(secretReference.parse(reference), {
    credentials: async () => credentials,
    endpoint: manager.url,
  });

describe('a secret in Secrets Manager', () => {
  test('is read by a request that is signed, and that names it', async () => {
    manager.secrets.set(ARN, 'the secret');
    await expect(read()).resolves.toBe('the secret');
    expect(manager.asked).toEqual([ARN]);
    const others = { ...CREDENTIALS, secretAccessKey: 'another' };
    await expect(read(ARN, others)).rejects.toThrow('InvalidSignatureException');
  });

  test.each([`${ARN}:url`, `${ARN}:url::`])('may be a member of JSON: %s', async (reference) => {
    manager.secrets.set(ARN, '{"url":"smtps://mail.example.com","user":"me"}');
    await expect(read(reference)).resolves.toBe('smtps://mail.example.com');
    expect(manager.asked).toEqual([ARN]);
  });

  test.each([
    ['a connection that breaks', hangUp],
    ['an answer that is not from AWS', broken],
    ['an error of AWS', awsError(500, 'InternalServiceError')],
    ['throttling', awsError(400, 'ThrottlingException')],
  ])('is asked for again after %s', async (_what, answer) => {
    manager.secrets.set(ARN, 'the secret');
    manager.answers.push(answer, answer);
    await expect(read()).resolves.toBe('the secret');
  });

  test.each<[string, string, SecretsAnswer, string]>([
    [
      'does not exist',
      ARN,
      awsError(400, 'com.amazonaws#ResourceNotFoundException'),
      `The secret ${ARN} does not exist`,
    ],
    [
      'may not be read',
      ARN,
      awsError(400, 'AccessDeniedException'),
      `This process may not read the secret ${ARN}: expected its role to allow secretsmanager:GetSecretValue`,
    ],
    [
      'is binary',
      ARN,
      (response) => response.writeHead(200).end('{"SecretBinary":"c2VjcmV0"}'),
      `The secret ${ARN} holds no text: expected a SecretString`,
    ],
    [
      'has no such key',
      `${ARN}:url`,
      (response) => response.writeHead(200).end('{"SecretString":"{\\"password\\":\\"clear\\"}"}'),
      `The secret ${ARN} has no text under the key url: expected JSON`,
    ],
    [
      'is no JSON',
      `${ARN}:toString`,
      (response) => response.writeHead(200).end('{"SecretString":"clear"}'),
      'has no text under the key toString',
    ],
  ])('that %s is told at once, and never shown', async (_what, reference, answer, says) => {
    manager.answers.push(answer);
    const reading = read(reference);
    await expect(reading).rejects.toThrow(says);
    await expect(reading).rejects.not.toThrow(/clear|c2Vj/);
    expect(manager.asked).toHaveLength(1);
  });

  test('with an answer that does not end is given up', async () => {
    manager.answers.push((response) => response.writeHead(200).end(Buffer.alloc(600_000, 'x')));
    await expect(read()).rejects.toThrow('answered more than 524288 bytes');
  });
});

describe('a reference to a secret', () => {
  test.each([
    [ARN, { arn: ARN, region: 'us-east-1', key: undefined }],
    [`${ARN}:user name::`, { arn: ARN, key: 'user name' }],
    [
      'arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:a-AbCdEf',
      { endpoint: 'https://secretsmanager.cn-north-1.amazonaws.com.cn' },
    ],
    [
      'arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:a-AbCdEf',
      { endpoint: 'https://secretsmanager.us-gov-west-1.amazonaws.com' },
    ],
  ])('is an ARN: %s', (text, found) => {
    expect(secretReference.parse(text)).toMatchObject(found);
  });

  test.each([
    'shop/smtp',
    'smtp://me:password@mail.example.com',
    '{{resolve:secretsmanager:shop:SecretString:url}}',
    'arn:aws:secretsmanager:us-east-1:123456789012:secret:*',
    'arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/*-AbCdEf',
    'arn:aws:secretsmanager:us-east-1:123456789012:secret:shop',
    'arn:aws:ssm:us-east-1:123456789012:parameter/shop-AbCdEf',
    `${ARN}:`,
  ])('is not %s', (text) => {
    expect(() => secretReference.parse(text)).toThrow(
      'expected the whole ARN of a secret in Secrets Manager',
    );
  });
});
