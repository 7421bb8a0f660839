import { expect, test } from '@jest/globals';
import { createLogger } from '../logger.ts';

test('a log line shows an error with its class, stack and cause, cut to a limit', () => {
  const lines: string[] = [];
  const logger = createLogger({ service: 'tests', to: { write: (line: string) => void lines.push(line) } });
  const error = new Error(`no answer ${'x'.repeat(60_000)}`, { cause: new Error('the cause') });
  logger.error({ error: Object.assign(error, { code: 'HPE', rawPacket: Buffer.alloc(60_000) }) }, 'trouble');
  const line = JSON.parse(lines[0] ?? '') as { error: Record<string, string> };
  expect(line.error).toMatchObject({ type: 'Error', code: 'HPE' });
  expect(line.error['message']).toMatch(/^no answer x+$/);
  expect(line.error['rawPacket']).toBeUndefined();
  expect(lines[0]?.length).toBeLessThan(20_000);

  logger.error({ error: new Error('short', { cause: new Error('the cause') }) }, 'trouble');
  expect(lines[1]).toContain('the cause');
});
