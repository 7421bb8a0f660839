import { afterEach, expect, test } from '@jest/globals';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { eventually } from 'baton-dev/testing/eventually';
import { RawCaller } from 'baton-dev/testing/raw-caller';
import { listenAt, type RunningServer } from '../../listener.ts';

/** More than the buffers of two sockets hold. */
const ANSWER = Buffer.alloc(16 * 1024 * 1024);
/** Many chunks of one byte: Node takes several hundred bytes for each that it keeps. */
const CHUNKS = '1\r\nx\r\n'.repeat(20_000);

let server: RunningServer | undefined;
let caller: RawCaller | undefined;
afterEach(async () => {
  caller?.end();
  server?.cut();
  await server?.close();
});

test.each([
  ['is answered before it has come', ''],
  ['is refused', 'expect: something\r\n'],
])('of a body that %s nothing is kept while the caller does not read the answer', async (_what, header) => {
  const requests: IncomingMessage[] = [];
  const end = (response: ServerResponse): void => {
    requests.push(response.req);
    response.end(ANSWER);
  };
  server = await listenAt(
    { host: '127.0.0.1', port: 0 },
    { answer: async ({ response }) => end(response), refuse: (response) => end(response) },
  );
  caller = await new RawCaller(server.port).connected();
  const head = `POST /x HTTP/1.1\r\nhost: x\r\n${header}transfer-encoding: chunked\r\n\r\n`;
  caller.sendUnread(head + CHUNKS);
  await eventually('the body', () => (requests[0]?.socket.bytesRead ?? 0) === head.length + CHUNKS.length);
  expect(requests[0]?.readableLength).toBe(0);
});
