// Answers that are not from AWS.
import type { Misbehaviour } from './proxy.ts';

/** An answer that is not from AWS, as bytes on the wire. */
export type BrokenAnswer = Required<Pick<Misbehaviour, 'answer' | 'closes'>>;

const JSON_TYPE = 'application/x-amz-json-1.0';
const HTML = '<html><head><title>Sign in to Airport Wi-Fi</title></head><body>Hello</body></html>';
const ERROR = JSON.stringify({
  __type: 'com.amazon.coral.service#InternalFailure',
  message: 'Something broke',
});

function answer(status: string, type: string, body: string, lengthBytes = Buffer.byteLength(body)): string {
  return `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${lengthBytes}\r\n\r\n${body}`;
}

function whole(status: string, type: string, body: string): BrokenAnswer {
  return { answer: answer(status, type, body), closes: false };
}

/** Answers of proxies, load balancers and captive portals in place of AWS. */
export const BROKEN_ANSWERS: readonly (readonly [string, BrokenAnswer])[] = [
  ['200 with {}', whole('200 OK', JSON_TYPE, '{}')],
  ['200 with nothing', whole('200 OK', JSON_TYPE, '')],
  ['200 with null', whole('200 OK', JSON_TYPE, 'null')],
  ['200 with an array', whole('200 OK', JSON_TYPE, '[]')],
  ['200 with HTML', whole('200 OK', 'text/html', HTML)],
  ['200 with HTML that is called JSON', whole('200 OK', JSON_TYPE, HTML)],
  ['200 with an error', whole('200 OK', JSON_TYPE, ERROR)],
  ['200 with half a body', whole('200 OK', JSON_TYPE, '{"Attributes":{"taskId":{"S":"t-')],
  [
    '200 that breaks off in its body',
    { answer: answer('200 OK', JSON_TYPE, '{"Attributes":{"taskId"', 500), closes: true },
  ],
  [
    '200 with members that are of another kind',
    whole(
      '200 OK',
      JSON_TYPE,
      '{"Attributes":7,"Item":"x","Items":{},"Messages":{},"Successful":"yes","Failed":0}',
    ),
  ],
  ['302 to a portal', whole('302 Found', 'text/html', HTML)],
  ['403 with HTML', whole('403 Forbidden', 'text/html', HTML)],
  ['404 with nothing', whole('404 Not Found', 'text/plain', '')],
  [
    '407 with JSON of another API',
    whole('407 Proxy Authentication Required', 'application/json', '{"message":"Forbidden"}'),
  ],
  ['502 with HTML', whole('502 Bad Gateway', 'text/html', HTML)],
  ['500 with nothing', whole('500 Internal Server Error', JSON_TYPE, '')],
  ['no HTTP', { answer: 'SSH-2.0-OpenSSH_9.9\r\n', closes: true }],
  ['no answer', { answer: '', closes: true }],
];
