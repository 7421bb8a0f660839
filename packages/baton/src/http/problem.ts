import type { ValueIssue } from '../task/invalid-value.ts';
import type { HttpResponse } from './http-message.ts';

/** What a problem may say beyond its title. */
export interface ProblemDetails {
  /** What was wrong with this very request, and what was expected. */
  readonly detail: string;
  /** What was wrong in the request's body or query, and where. */
  readonly errors?: readonly ValueIssue[];
  /** Headers that belong to the answer, such as `allow` or `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

const TITLES = {
  'invalid-json': [400, 'The body is not JSON'],
  'invalid-request': [400, 'The request is not valid'],
  'invalid-cursor': [400, 'The cursor is not valid'],
  'not-found': [404, 'There is no such thing'],
  'unknown-route': [404, 'There is no such route'],
  'method-not-allowed': [405, 'The route does not have this method'],
  'idempotency-key-reused': [409, 'The idempotency key belongs to another request'],
  'request-in-progress': [409, 'The same request is being taken in'],
  'task-ended': [409, 'The task has ended'],
  'body-too-large': [413, 'The body is too large'],
  'unsupported-content-type': [415, 'The body has the wrong content type'],
  'internal-error': [500, 'Something went wrong here'],
  'service-unavailable': [503, 'A dependency does not answer'],
} as const satisfies Record<string, readonly [number, string]>;

/** The problems that an API of this house answers with. */
export type ProblemKind = keyof typeof TITLES;

/** An unhappy answer: thrown by a route, sent as `application/problem+json` (RFC 9457). */
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

  /** The answer, with the request's id as `requestId`, by which its log lines are found. */
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
      headers: { ...headers, 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
      body: JSON.stringify(body),
    };
  }
}

/** The 404 of a thing that is not there. */
export function notFound(what: string, id: string): Problem {
  return new Problem('not-found', { detail: `There is no ${what} ${JSON.stringify(id.slice(0, 128))}.` });
}
