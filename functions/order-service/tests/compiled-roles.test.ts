import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  allowedBy,
  compile,
  consumes,
  logs,
  sends,
  type Template,
  uses,
} from 'baton-dev/testing/compiled-stack';

let template: Template;

beforeAll(async () => {
  template = await compile();
}, 60_000);

/** A queue and its lanes. */
const ORDERS = ['OrdersQueue', 'OrdersQueueHighLane', 'OrdersQueueLowLane'];
/** The queues of listeners to the end of a task. */
const QUEUES = ['DefaultQueue', 'NotificationsQueue', 'OrderOutcomesQueue', ...ORDERS];

describe('the role of each function', () => {
  test.each([
    [
      'OrderServiceApi',
      sends(...ORDERS),
      uses('OrdersTable', 'GetItem', 'PutItem', 'UpdateItem'),
      uses('OrdersTable/index/newest-first', 'Query'),
      uses('TasksTable', 'GetItem', 'PutItem'),
    ],
    [
      'OrderServiceOutcomes',
      consumes('OrderOutcomesQueue'),
      sends('OrderOutcomesDeadLetters', 'OrderOutcomesQueue'),
      uses('OrdersTable', 'GetItem', 'UpdateItem'),
    ],
    [
      'NotificationServiceApi',
      sends('NotificationsQueue'),
      uses('NotificationsTable', 'GetItem', 'PutItem', 'UpdateItem'),
      uses('NotificationsTable/index/newest-first', 'Query'),
      uses('NotificationsTable/index/newest-first-by-recipient', 'Query'),
      uses('TasksTable', 'GetItem', 'PutItem'),
    ],
    [
      'NotificationServiceDeliveries',
      consumes('NotificationsQueue'),
      sends('NotificationsDeadLetters', ...QUEUES),
      uses('NotificationsTable', 'GetItem', 'UpdateItem'),
      uses('TasksTable', 'BatchGetItem', 'GetItem', 'UpdateItem'),
    ],
    [
      'TaskServiceApi',
      sends(...QUEUES),
      uses('TasksTable', 'GetItem', 'UpdateItem'),
      uses('TasksTable/index/newest-first', 'Query'),
      uses('TasksTable/index/newest-first-by-name', 'Query'),
      uses('TasksTable/index/newest-first-by-state', 'Query'),
    ],
    [
      'Worker',
      ['DefaultQueue', ...ORDERS].flatMap(consumes),
      sends('DefaultDeadLetters', 'OrdersDeadLetters', ...QUEUES),
      uses('TasksTable', 'BatchGetItem', 'GetItem', 'PutItem', 'UpdateItem'),
    ],
  ])('%s allows what it uses and its own log, and nothing else', (name, ...allowed) => {
    expect(allowedBy(template, `${name}Role`)).toEqual([...logs(name), ...allowed.flat()].toSorted());
    expect(template.Resources[`${name}LambdaFunction`]?.Properties['Role']).toEqual({
      'Fn::GetAtt': [`${name}Role`, 'Arn'],
    });
  });
});
