import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  allowedBy,
  compile,
  consumes,
  logs,
  ofType,
  sends,
  type Template,
  uses,
} from 'baton-dev/testing/compiled-stack';

let template: Template;

beforeAll(async () => {
  template = await compile();
}, 60_000);

/** The secret that the stack was compiled with. */
const SMTP = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:smtp-url-secret-AbCdEf';
/** A queue and its lanes. */
const ORDERS = ['OrdersQueue', 'OrdersQueueHighLane', 'OrdersQueueLowLane'];
/** The queues of listeners to the end of a task: every queue, also one that is not the demo's. */
const queues = (): string[] =>
  ofType(template, 'AWS::SQS::Queue').flatMap(({ id, properties }) =>
    properties['RedrivePolicy'] ? [id] : [],
  );

describe('the role of each function', () => {
  test.each<[string, ...(() => string[])[]]>([
    [
      'OrderServiceApi',
      () => sends(...ORDERS),
      () => uses('OrdersTable', 'GetItem', 'PutItem', 'UpdateItem'),
      () => uses('OrdersTable/index/newest-first', 'Query'),
      () => uses('OrdersTable/index/newest-first-by-owner', 'Query'),
      () => uses('TasksTable', 'GetItem', 'UpdateItem'),
    ],
    [
      'OrderServiceOutcomes',
      () => consumes('OrderOutcomesQueue'),
      () => sends('OrderOutcomesDeadLetters', 'OrderOutcomesQueue'),
      () => uses('OrdersTable', 'GetItem', 'UpdateItem'),
    ],
    [
      'NotificationServiceApi',
      () => sends('NotificationsQueue'),
      () => uses('NotificationsTable', 'GetItem', 'PutItem', 'UpdateItem'),
      () => uses('NotificationsTable/index/newest-first', 'Query'),
      () => uses('NotificationsTable/index/newest-first-by-recipient', 'Query'),
      () => uses('TasksTable', 'GetItem', 'UpdateItem'),
    ],
    [
      'NotificationServiceDeliveries',
      () => consumes('NotificationsQueue'),
      () => sends('NotificationsDeadLetters', ...queues()),
      () => uses('NotificationsTable', 'GetItem', 'UpdateItem'),
      () => uses('TasksTable', 'BatchGetItem', 'GetItem', 'UpdateItem'),
      () => [`secretsmanager:GetSecretValue ${SMTP}`],
    ],
  ])('%s allows what it uses and its own log, and nothing else', (name, ...allowed) => {
    expect(allowedBy(template, `${name}Role`)).toEqual(
      [...logs(name), ...allowed.flatMap((of) => of())].toSorted(),
    );
    expect(template.Resources[`${name}LambdaFunction`]?.Properties['Role']).toEqual({
      'Fn::GetAtt': [`${name}Role`, 'Arn'],
    });
  });
});
