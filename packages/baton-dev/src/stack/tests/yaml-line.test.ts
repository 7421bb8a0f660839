import { expect, test } from '@jest/globals';
import { lineIn } from '../yaml-line.ts';

const text = `# A comment
functions:
  a:
    events:
      - httpApi: 'ANY /a'
      - sqs: { arn: !GetAtt Q.Arn }
`;

test.each([
  [['functions'], 2],
  [['functions', 'a', 'events'], 4],
  [['functions', 'a', 'events', '1', 'sqs', 'arn'], 6],
  [['functions', 'a', 'timeout'], 3],
  [['resources'], 1],
])('the line of %j, or of its closest existing parent, is %d', (path, line) => {
  expect(lineIn(text, path)).toBe(line);
});
