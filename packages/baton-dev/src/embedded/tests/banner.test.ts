import { expect, test } from '@jest/globals';
import { banner, curlOf } from '../banner.ts';

const facts = {
  http: 'http://127.0.0.1:3000',
  prefixes: ['/things'],
  sqs: 'sqs',
  dynamoDb: 'dynamodb',
  health: 'health',
  access: { description: 'open to everybody', tokens: [] },
  queues: [{ name: 'things', runs: 'run by the worker' }],
  startedInMs: 1234,
};

test.each([
  [{ request: 'GET /things' }, 'curl -i http://x/things'],
  [
    { request: 'POST /things', body: { name: 'a b' } },
    'curl -i http://x/things -H "content-type: application/json" -d "{\\"name\\":\\"a b\\"}"',
  ],
  [{ request: 'DELETE /things/1' }, 'curl -i -X DELETE http://x/things/1'],
])('an example %j is a command for every shell', (example, command) => {
  expect(curlOf('http://x', example)).toBe(command);
});

test('the banner shows the examples of the services, if there are any', () => {
  const examples = [{ request: 'GET /things' }, { request: 'GET /others' }];
  const text = banner({ ...facts, examples });
  expect(text).toContain('Try this in a second terminal:');
  expect(text).toContain('  curl -i http://127.0.0.1:3000/things\n');
  expect(text).toContain('  curl -i http://127.0.0.1:3000/others\n');
  expect(banner({ ...facts, examples: [] })).not.toContain('Try this');
});

test('the banner shows who may call, with the tokens, and sends the first one with each example', () => {
  expect(banner({ ...facts, examples: [] })).toContain('Access    open to everybody\n');
  const tokens = [
    { name: 'customer', token: 'a.b.c' },
    { name: 'operator', token: 'd.e.f' },
  ];
  const text = banner({
    ...facts,
    access: { description: 'with', tokens },
    examples: [{ request: 'GET /x' }],
  });
  expect(text).toContain('customer  a.b.c\n');
  expect(text).toContain('operator  d.e.f\n');
  expect(text).toContain('curl -i http://127.0.0.1:3000/x -H "authorization: Bearer a.b.c"\n');
});
