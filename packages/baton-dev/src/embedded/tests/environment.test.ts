import { describe, expect, test } from '@jest/globals';
import { partOf } from '../../stack/part.ts';
import { fillIn, fillInParameters } from '../environment.ts';

describe('variables whose values come from AWS', () => {
  test('get a local value', () => {
    const environment = { QUEUE_URL_PREFIX: { 'Fn::Sub': 'https://...' }, LOG_LEVEL: 'info' };
    fillIn([environment], { QUEUE_URL_PREFIX: 'http://127.0.0.1/0/' });
    expect(environment).toEqual({ QUEUE_URL_PREFIX: 'http://127.0.0.1/0/', LOG_LEVEL: 'info' });
  });

  test('of a deploy come from the local environment', () => {
    const environment = { SMTP_URL: '', SMTP_FROM: '', LOG_LEVEL: 'info' };
    fillIn([environment], {}, { SMTP_URL: 'smtp://127.0.0.1:25', LOG_LEVEL: 'debug' });
    expect(environment).toEqual({ SMTP_URL: 'smtp://127.0.0.1:25', SMTP_FROM: '', LOG_LEVEL: 'info' });
  });

  test('are named in an error if they have no local value', () => {
    const environments = [{ TOPIC_ARN: { Ref: 'Topic' } }, { BUCKET: { Ref: 'Bucket' } }];
    expect(() => fillIn(environments, {})).toThrow('TOPIC_ARN, BUCKET');
  });
});

describe('a variable that a deploy fills in from a parameter', () => {
  const part = partOf(
    `
parameters:
  shop-url: { description: The shop, local: 'http://127.0.0.1:9/' }
  mail-url: The mails
functions:
  shop:
    handler: a.b
    environment: { SHOP_URL: "\${param:shop-url, ''}", MAIL_URL: "\${param:mail-url, ''}" }
`,
    'functions.yml',
    'dev',
  );
  const filled = (given: string, own: Record<string, string>): unknown => {
    const shop = { environment: { SHOP_URL: given, MAIL_URL: '' } };
    fillInParameters({ shop }, [part], own);
    return shop.environment;
  };

  test('has the local value of its parameter', () => {
    expect(filled('', {})).toEqual({
      SHOP_URL: 'http://127.0.0.1:9/',
      MAIL_URL: '',
      TASK_SIGNING_KEYS: '',
    });
    expect(filled('', { SHOP_URL: '' })).toMatchObject({ SHOP_URL: 'http://127.0.0.1:9/' });
  });

  test('or that it reads from a secret, which is local here', () => {
    const secretive = partOf(
      `
parameters:
  shop-login: { description: The login, local: me }
  shop-key: The key
functions:
  shop:
    handler: a.b
    access: { secrets: { SHOP_LOGIN: shop-login, SHOP_KEY: shop-key } }
`,
      'functions.yml',
      'dev',
    );
    const shop = { environment: {} };
    fillInParameters({ shop }, [secretive], { SHOP_KEY: 'mine' });
    expect(shop.environment).toEqual({ SHOP_LOGIN: 'me', SHOP_KEY: 'mine', TASK_SIGNING_KEYS: '' });
  });

  test('unless the user sets it, or gives the parameter', () => {
    expect(filled('', { SHOP_URL: 'https://mine' })).toMatchObject({ SHOP_URL: '' });
    expect(filled('https://given', {})).toMatchObject({ SHOP_URL: 'https://given' });
  });
});
