// The JSON bodies of requests.
import { shapeOf } from '../sqs/json-shape.ts';
import type { HttpRequest } from './http-message.ts';
import { parseMediaType } from './media-type.ts';
import { Problem } from './problem.ts';

/** The longest request body, in bytes (256 KiB). */
export const MAX_BODY_BYTES = 262_144;
/** The most values of a body. A schema may find several faults in each, and a check of 100,000 takes up to 0.4 s. */
const MAX_VALUES = 4096;
/** The most lists and objects in each other, as in a payload: schemas that refer to themselves call themselves for each. */
const MAX_LEVELS = 1000;

/** JSON itself, and formats that are written in JSON (RFC 6839, section 3.1). */
const JSON_TYPE = /^application\/json$|\+json$/;
/** JSON is UTF-8 (RFC 8259, section 8.1). ASCII is a part of UTF-8. */
const UTF8_NAMES = new Set(['utf-8', 'utf8', 'us-ascii']);
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the JSON value of a request's body.
 *
 * @throws Problem 413 if the body is too large, 415 if its type or encoding is wrong, 413 if it has too many values or
 *   levels, 400 if it is not JSON; checked in this order
 */
export function readJsonBody({ headers, body }: HttpRequest): unknown {
  if (body.byteLength > MAX_BODY_BYTES) {
    throw tooMuch(`${body.byteLength} bytes`, MAX_BODY_BYTES);
  }
  const contentType = headers['content-type'];
  if (!contentType || !isJson(contentType)) {
    const held = contentType ? JSON.stringify(contentType.slice(0, 100)) : 'missing';
    throw new Problem('unsupported-content-type', {
      detail: `The content-type is ${held}; expected application/json in UTF-8.`,
      headers: { accept: 'application/json' },
    });
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new Problem('unsupported-content-type', {
      detail: `The content-encoding is ${JSON.stringify(encoding.slice(0, 100))}; expected no encoding (identity).`,
      headers: { 'accept-encoding': 'identity' },
    });
  }
  if (body.byteLength === 0) {
    throw new Problem('invalid-json', { detail: 'The body is empty; expected a JSON object.' });
  }
  return parsed(body);
}

function parsed(body: Buffer): unknown {
  try {
    const json = UTF8.decode(body);
    checkShape(json);
    return JSON.parse(json);
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    throw new Problem('invalid-json', {
      detail: `The body is not JSON in UTF-8: ${(cause as Error).message}`,
      cause,
    });
  }
}

function checkShape(json: string): void {
  const { levels, values } = shapeOf(json);
  if (values > MAX_VALUES) throw tooMuch(`${values} values`, MAX_VALUES);
  if (levels > MAX_LEVELS) throw tooMuch(`${levels} levels of lists and objects`, MAX_LEVELS);
}

function tooMuch(what: string, most: number): Problem {
  return new Problem('body-too-large', { detail: `The body has ${what}; expected at most ${most}.` });
}

function isJson(contentType: string): boolean {
  const { type = '', parameters } = parseMediaType(contentType) ?? {};
  return JSON_TYPE.test(type) && UTF8_NAMES.has(parameters?.get('charset')?.toLowerCase() ?? 'utf-8');
}
