import { expect, test } from '@jest/globals';
import { Program } from 'baton-dev/testing/program';

test('real workers keep every promise in 10,000 histories of a model of SQS', async () => {
  const model = new Program('packages/baton/tests/model/main.ts', {}, ['--histories', '10000']);
  const status = await model.ended();
  expect(model.output).toContain('every promise held in 10000 histories');
  expect(status).toBe(0);
}, 480_000);
