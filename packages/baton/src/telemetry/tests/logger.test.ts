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

test('a terminal obeys no control character of a line, and JSON keeps its meaning', () => {
  const lines: string[] = [];
  const logger = createLogger({ service: 'tests', to: { write: (line: string) => void lines.push(line) } });
  const evil = '\u009B2J\u0085\u0080\u009F\u007F\u001B]0;x\u0007\u00A0é';
  const error = new Error(evil);
  logger.child({ [evil]: evil }).warn({ taskId: evil, error }, evil);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^[^\p{Cc}]+\n$/u);
  expect(lines[0]).toContain(String.raw`\u009b2J\u0085\u0080\u009f\u007f\u001b]0;x`);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    [evil]: evil,
    taskId: evil,
    message: evil,
    error: { message: evil },
  });
});
