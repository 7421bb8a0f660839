import { describe, expect, test } from '@jest/globals';
import type { Part } from '../../stack/part.ts';
import { StackError } from '../../stack/stack-error.ts';
import { parameterNames, readParameters } from '../parameters.ts';
import { closed } from '../forms.ts';
import { compile } from '../../testing/compiled-stack.ts';
import { fargate, stackOf } from './described.ts';

/** A user that CloudFormation would look up. */
const USER = '{{resolve:ssm:user}}';

describe('a parameter of a service', () => {
  const partWith = (part: Part) => new Map([['functions/a-service', part]]);
  const using = (value: string): Part => ({
    functions: { a: { handler: 'x.y', environment: { A: value } } },
  });

  test('is accepted if its functions.yml declares it', () => {
    const names = parameterNames(
      partWith({ ...using("${param:mail-url, ''}"), parameters: { 'mail-url': 'where' } }),
    );
    expect(names).toContain('mail-url');
    expect(() => readParameters({ 'mail-url': 'smtp://x' }, names)).not.toThrow();
    expect(() => readParameters({ 'mail-url': 'smtp://x' })).toThrow('mail-url: unknown parameter');
  });

  test.each([
    'smtp://me:secret@mail.example.com:587',
    'SMTPS://me:secret@mail.example.com',
    'postgres://:secret@db.example.com/shop',
    'smtp://me:pass@word@mail.example.com',
    `smtp://${USER}:secret@mail.example.com`,
    'smtp://me:a/secret@mail.example.com',
    'smtp://me:a?secret@mail.example.com',
    'smtp://me:a#secret@mail.example.com',
    // CloudFormation would put the secret itself into the configuration of the function
    '{{resolve:secretsmanager:baton-dev/smtp:SecretString:url}}',
    '{{resolve:ssm-secure:smtp-url}}',
    '{{ resolve:secretsmanager:smtp-url }}',
    'smtps://me:{{resolve:secretsmanager:baton-dev/smtp:SecretString:password}}@mail.example.com',
    ' smtp://me:secret@mail.example.com',
    'x smtp://me:secret@mail.example.com',
    '<smtp://me:secret@mail.example.com>',
    'https://example.com,https://me:secret@example.com',
    'https:/me:secret@example.com',
    'https:me:secret@example.com',
    'sm\ttp://me:secret@mail.example.com',
    'smtp://m e:secret@mail.example.com',
  ])('is refused if it holds a password, which the message does not show: %s', (value) => {
    const read = (): unknown => readParameters({ 'mail-url': value }, ['mail-url']);
    expect(read).toThrow(
      'mail-url: would put a password into the configuration of functions, expected a parameter that holds the ARN of a secret',
    );
    expect(read).not.toThrow(/secret@|word@/);
  });

  test.each([
    '{{resolve:ssm:mail-url}}',
    'smtp://mail.example.com:587',
    'smtp://me@mail.example.com:587',
    'https://example.com/a:b@c',
    'arn:aws:sns:eu-central-1:123456789012:alarms',
    'Shop <shop@example.com>',
    'a, b',
    'https://login.example.com/a?b=c:d@e',
  ])('may be %s', (value) => {
    expect(() => readParameters({ 'mail-url': value }, ['mail-url'])).not.toThrow();
  });

  test.each([
    ' value',
    'value ',
    '\u00A0value',
    'value\n',
    'a\tb',
    'a\u001B[2Jb',
    'a\u009Bb',
    'a\u202Eb',
    ' ',
  ])(
    'is refused if it has blanks at its ends or control characters, also as a parameter of a service: %j',
    (value) => {
      const expected = 'expected no blanks at its ends, and no control characters';
      expect(() => readParameters({ 'mail-url': value }, ['mail-url'])).toThrow(`mail-url: ${expected}`);
      expect(() => readParameters({ revision: value })).toThrow(`revision: ${expected}`);
      expect(() => readParameters({ 'mail-url': value }, ['mail-url'], ['mail-url'])).toThrow(
        `mail-url: ${expected}`,
      );
    },
  );

  test('is refused if it is used but not declared; parameters of every stack need no declaration', () => {
    const undeclared = partWith(using('${param:mail-url}'));
    expect(() => parameterNames(undeclared)).toThrow(
      'functions/a-service/functions.yml uses the parameter mail-url: expected a line for it under "parameters:"',
    );
    expect(() => parameterNames(undeclared)).toThrow(StackError);
    expect(() => parameterNames(partWith(using("${param:revision, 'unknown'}")))).not.toThrow();
  });

  test.each([
    [
      'every stack',
      new Map([['functions/a-service', { parameters: { worker: 'x' } }]]),
      'the parameter worker belongs to every stack',
    ],
    [
      'another service',
      new Map([
        ['functions/a-service', { parameters: { mine: 'x' } }],
        ['functions/b-service', { parameters: { mine: 'x' } }],
      ]),
      'functions/b-service/functions.yml: the parameter mine belongs to functions/a-service/functions.yml',
    ],
  ])('is refused if it belongs to %s', (_whose, parts, says) => {
    expect(() => parameterNames(parts)).toThrow(says);
  });
});

describe('an invalid parameter is refused with its name and the expected value', () => {
  test.each([
    [{ api: 'rest' }, ['api: expected one of httpApi, http']],
    [{ worker: 'ec2' }, ['worker: expected one of lambda, fargate, none']],
    [
      { worker: 'fargate' },
      ['worker-image: expected', 'worker-subnets: expected', 'worker-security-groups: expected'],
    ],
    [{ 'worker-min': '5', 'worker-max': '2' }, ['worker-min: expected at most worker-max, which is 2']],
    [{ 'jwt-issuer': 'https://login.example.com' }, ['jwt-audience: expected']],
    [{ 'alarm-topic': 'alarms' }, ['alarm-topic: expected an ARN of sns']],
    [{ 'log-retention-days': '31' }, ['log-retention-days: expected one of 1, 3, 5, 7, 14, 30, 60,']],
    [{ 'alarm-topick': 'arn' }, ['alarm-topick: unknown parameter, expected one of api,']],
    [{ ...fargate, 'worker-subnets': ',' }, ['worker-subnets: expected values separated by commas']],
    [{ ...fargate, 'worker-cpu': '300' }, ['worker-cpu: expected one of 256, 512, 1024, 2048,']],
    [
      { ...fargate, 'worker-memory': '8192' },
      ['worker-memory: expected one of 512, 1024, 2048, because worker-cpu is 256'],
    ],
    [
      { ...fargate, 'worker-cpu': '8192', 'worker-memory': '17408' },
      ['worker-memory: expected one of 16384, 20480, 24576,'],
    ],
    [{ 'throttle-rate': 'fast' }, ['throttle-rate: expected a whole number from 1 to 10000']],
    [
      { ...fargate, 'worker-image': '123456789012.dkr.ecr.eu-central-1.amazonaws.com/baton' },
      ['worker-image: expected ACCOUNT.dkr.ecr.REGION'],
    ],
    [{ ...closed, public: 'yes' }, ['public: expected no, because jwt-issuer says who may call the API']],
    [{ public: 'true' }, ['public: expected one of no, yes']],
    [{ ...closed, 'jwt-issuer': 'http://127.0.0.1:9000' }, ['jwt-issuer: expected https']],
    [{ ...closed, 'jwt-issuer': 'HTTP://login.example.com' }, ['jwt-issuer: expected https']],
    [
      { ...closed, api: 'http', 'jwt-issuer': 'http://127.0.0.1.example.com' },
      ['jwt-issuer: expected https'],
    ],
  ] as [Record<string, string>, string[]][])('the parameters %j', (given, says) => {
    for (const line of says) expect(() => stackOf(given)).toThrow(line);
    expect(() => stackOf(given)).toThrow(StackError);
  });

  test('a misspelt parameter on the command line', async () => {
    await expect(compile(['--param=jwt-isuer=https://login.example.com'])).rejects.toThrow(
      'jwt-isuer: unknown parameter, expected one of api,',
    );
  }, 60_000);
});

describe('the keys of signatures', () => {
  const arn = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:baton/signing-AbCdEf';

  test('are a reference to a secret, and the message shows none that are given in clear', () => {
    expect(() => readParameters({ ...closed, 'signing-keys': arn, signing: 'accept' })).not.toThrow();
    const read = () => readParameters({ ...closed, 'signing-keys': 'k1:c2VjcmV0' });
    expect(read).toThrow('signing-keys: expected the whole ARN of a secret');
    expect(read).not.toThrow(/c2VjcmV0/);
  });

  test('are there if a deploy says how they are used', () => {
    const read = () => readParameters({ ...closed, signing: 'require' });
    expect(read).toThrow('signing-keys: expected a value, because signing is require');
    expect(() => readParameters({ ...closed, 'signing-keys': arn, signing: 'off' })).toThrow(
      'signing: expected one of require, accept',
    );
  });
});
