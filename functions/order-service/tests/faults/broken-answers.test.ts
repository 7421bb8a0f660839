import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { BROKEN_ANSWERS } from 'baton-dev/testing/broken-answers';
import { Proxy } from 'baton-dev/testing/proxy';
import { read, RunningService } from 'baton-dev/testing/service';

const order = {
  customerId: 'c-1',
  customerEmail: 'customer@example.com',
  items: [{ productId: 'p-1', quantity: 2 }],
  totalAmount: 4200,
  currency: 'EUR',
};

let backends: Backends;
let dynamoDb: Proxy;
let sqs: Proxy;
let broken: Proxy | undefined;
let service: RunningService;
let orderId: string;

beforeAll(async () => {
  backends = await startBackends(['functions/order-service']);
  const { environment, stage } = backends;
  dynamoDb = await Proxy.start(environment['AWS_ENDPOINT_URL_DYNAMODB'] ?? '');
  sqs = await Proxy.start(environment['AWS_ENDPOINT_URL_SQS'] ?? '');
  service = await RunningService.start('order-service', {
    ...environment,
    ORDERS_TABLE: `baton-${stage}-orders`,
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.endpoint,
    AWS_ENDPOINT_URL_SQS: sqs.endpoint,
  });
  orderId = String((await read(await service.post('/orders', order)))['orderId']);
});
afterEach(() => {
  broken?.change('pass');
  broken = undefined;
});
afterAll(async () => {
  await service.program.stop();
  await Promise.all([dynamoDb.stop(), sqs.stop()]);
  await backends.stop();
});

describe.each(BROKEN_ANSWERS)('order-service whose dependency answers %s', (what, answer) => {
  const headers = { 'idempotency-key': what.replaceAll(/\W+/g, '-') };
  const post = () => service.post('/orders', order, headers);

  test.each([
    ['DynamoDB', () => dynamoDb],
    ['SQS', () => sqs],
  ])('asks its callers to come again: %s', async (_dependency, proxy) => {
    broken = proxy();
    broken.change('garbage', answer);
    const asked =
      broken === sqs
        ? [post()]
        : [post(), fetch(`${service.url}/orders`), fetch(`${service.url}/orders/${orderId}`)];
    const answers = await Promise.all(asked);
    for (const response of answers) {
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('5');
    }
  });

  test('accepts the same order once SQS answers again', async () => {
    expect((await post()).status).toBe(202);
    expect((await fetch(`${service.url}/orders/${orderId}`)).status).toBe(200);
  });
});
