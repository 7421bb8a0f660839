import type { HttpRequest } from './http-message.ts';
import { parseMediaType } from './media-type.ts';
import { Problem } from './problem.ts';

/** The longest request body, in bytes (256 KiB). */
export const MAX_BODY_BYTES = 262_144;

/** JSON itself, and what is written in it (RFC 6839, section 3.1). */
const JSON_TYPE = /^application\/json$|\+json$/;
/** JSON is UTF-8 (RFC 8259, section 8.1), and ASCII is UTF-8. */
const UTF8_NAMES = new Set(['utf-8', 'utf8', 'us-ascii']);
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The JSON value in a request's body.
 *
 * @throws Problem 413, 415 or 400, in this order: a body is not looked into before its size and type are right
 */
export function readJsonBody({ headers, body }: HttpRequest): unknown {
  if (body.byteLength > MAX_BODY_BYTES) {
    const detail = `The body is ${body.byteLength} bytes long; at most ${MAX_BODY_BYTES} are taken.`;
    throw new Problem('body-too-large', { detail });
  }
  const contentType = headers['content-type'];
  if (!contentType || !isJson(contentType)) {
    const held = contentType ? JSON.stringify(contentType.slice(0, 100)) : 'missing';
    throw new Problem('unsupported-content-type', {
      detail: `The content-type is ${held}; application/json in UTF-8 was expected.`,
      headers: { accept: 'application/json' },
    });
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new Problem('unsupported-content-type', {
      detail: `The content-encoding is ${JSON.stringify(encoding.slice(0, 100))}; the body was expected as it is.`,
      headers: { 'accept-encoding': 'identity' },
    });
  }
  if (body.byteLength === 0) {
    throw new Problem('invalid-json', { detail: 'The body is empty; a JSON object was expected.' });
  }
  try {
    return JSON.parse(UTF8.decode(body));
  } catch (cause) {
    throw new Problem('invalid-json', {
      detail: `The body is not JSON in UTF-8: ${(cause as Error).message}`,
      cause,
    });
  }
}

function isJson(contentType: string): boolean {
  const { type = '', parameters } = parseMediaType(contentType) ?? {};
  return JSON_TYPE.test(type) && UTF8_NAMES.has(parameters?.get('charset')?.toLowerCase() ?? 'utf-8');
}
