// Error answers (RFC 9457).
import type { ValueIssue } from '../task/invalid-value.ts';
import type { HttpResponse } from './http-message.ts';

/** The details of a problem. */
export interface ProblemDetails {
  /** What is wrong with this request, and what was expected. */
  readonly detail: string;
  /** The faults of the request's body or query, and where they are. */
  readonly errors?: readonly ValueIssue[];
  /** Headers that belong to the answer, such as `allow` or `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Why, in a few words, for the log alone. */
  readonly reason?: string;
  readonly cause?: unknown;
}

const TITLES = {
  'malformed-request': [400, 'The request breaks the rules of HTTP'],
  'invalid-json': [400, 'The body is not JSON'],
  'invalid-request': [400, 'The request is invalid'],
  'invalid-cursor': [400, 'The cursor is invalid'],
  unauthenticated: [401, 'The request needs a valid token'],
  forbidden: [403, 'The token does not allow this'],
  'foreign-page': [403, 'The page of another site may not call this server'],
  'not-found': [404, 'There is no such resource'],
  'unknown-route': [404, 'There is no such route'],
  'method-not-allowed': [405, 'The route does not have this method'],
  'body-too-slow': [408, 'The body did not arrive in time'],
  'idempotency-key-reused': [409, 'The idempotency key belongs to another request'],
  'request-in-progress': [409, 'The same request is in progress'],
  'task-ended': [409, 'The task has ended'],
  'task-not-ended': [409, 'The task has not ended'],
  'body-too-large': [413, 'The body is too large'],
  'unsupported-content-type': [415, 'The body has the wrong content type'],
  'expectation-failed': [417, 'The server cannot do what the request expects'],
  'misdirected-request': [421, 'The request is for another server'],
  'too-many-requests': [429, 'The caller sends too many requests'],
  'answer-too-large': [500, 'The answer is too large'],
  'internal-error': [500, 'An unexpected error'],
  'service-unavailable': [503, 'A dependency does not answer'],
} as const satisfies Record<string, readonly [number, string]>;

/** The kinds of problems. The `type` of an answer is `urn:baton:problem:` and its kind. */
export type ProblemKind = keyof typeof TITLES;

/** An error answer. Thrown by a route, and sent as `application/problem+json` (RFC 9457). */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly kind: ProblemKind;
  readonly status: number;
  readonly details: ProblemDetails;

  constructor(kind: ProblemKind, details: ProblemDetails) {
    super(details.detail, { cause: details.cause });
    this.kind = kind;
    this.status = TITLES[kind][0];
    this.details = details;
  }

  /** Makes the answer. Its `requestId` finds the log lines of the request. */
  toResponse(requestId: string): HttpResponse {
    const { detail, errors, headers } = this.details;
    const [status, title] = TITLES[this.kind];
    const body = {
      type: `urn:baton:problem:${this.kind}`,
      title,
      status,
      detail,
      requestId,
      ...(errors && { errors }),
    };
    return {
      statusCode: status,
      headers: { ...headers, 'content-type': 'application/problem+json' },
      body: JSON.stringify(body),
    };
  }
}

/** Makes the 404 for a missing resource. @param what - its kind, such as `payment` */
export function notFound(what: string, id: string): Problem {
  return new Problem('not-found', { detail: `There is no ${what} ${JSON.stringify(id.slice(0, 128))}.` });
}
