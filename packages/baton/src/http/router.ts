// Routes requests: finds the route and the caller, and turns every error into an answer.
import middy, { type MiddlewareObj } from '@middy/core';
import httpRouterHandler, { type Route as RouterEntry } from '@middy/http-router';
import type { Context } from 'aws-lambda';
import { v7 as uuidv7 } from 'uuid';
import { SendError } from '../task/errors.ts';
import { type Authenticate, checkScopes } from './access.ts';
import { RequestInProgressError, RequestMismatchError } from './intake.ts';
import { isTransient } from '../aws/answers.ts';
import type { Logger } from '../telemetry/logger.ts';
import { childOf, parseTraceparent, startTrace } from '../telemetry/trace-context.ts';
import {
  DEFAULT_HEADERS,
  type HttpEvent,
  type HttpResponse,
  lowerCaseNames,
  readRequest,
} from './http-message.ts';
import { bytesOfAnswer, MAX_ANSWER_BYTES } from './answer-size.ts';
import { Problem } from './problem.ts';
import type { Route } from './route.ts';

const MAX_SHOWN_CHARACTERS = 200;
const RETRY_AFTER_SECONDS = 5;
const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** The handler of an API, for Lambda and for the container's HTTP server. Made by `createApi`. */
export interface ApiHandler {
  (event: HttpEvent, context: Partial<Context>): Promise<HttpResponse>;
  /** The routes, for tools that describe the API. */
  readonly routes?: readonly Route[];
}

/** Configures a router. */
export interface RouterOptions {
  readonly logger: Logger;
  /** Finds the caller. Default: refuses everybody, which does for a router without routes. */
  readonly authenticate?: Authenticate;
}

/**
 * Makes the handler of an API from its routes. It answers every request: a thrown Problem is sent unchanged, a dependency
 * that does not answer is a 503 with Retry-After, and any other error is a 500 without internal details.
 *
 * Each answer has the header `x-request-id`: the caller's own id if it is valid, otherwise a new one.
 */
export function createRouter(
  { logger, authenticate = closed }: RouterOptions,
  routes: readonly Route[],
): ApiHandler {
  const router = httpRouterHandler<HttpEvent, HttpResponse>({
    routes: routes.flatMap((route) => served(route, logger, authenticate)),
    notFoundResponse: ({ method, path }) => unrouted(method, path, routes),
  });
  const handler = middy<HttpEvent, HttpResponse, Error, Context, Internal>()
    .use(identified())
    .use(answered(logger))
    .handler((event, context, options) => {
      const { method, path } = readRequest(event);
      // The router forgives such a slash, but API Gateway has a route's limits and scopes for the path without it
      if (path !== '/' && path.endsWith('/')) throw unknownRoute(method, path);
      return router(event, context, options);
    });
  return Object.assign(handler as unknown as ApiHandler, { routes });
}

/** For a router without routes. */
async function closed(): Promise<never> {
  throw new Problem('unauthenticated', { detail: 'Nobody may call this API.' });
}

type Entry = RouterEntry<HttpEvent, HttpResponse>;
type Internal = { startedAtMs?: number };
type Middleware = MiddlewareObj<HttpEvent, HttpResponse, Error, Context, Internal>;

function served(route: Route, logger: Logger, authenticate: Authenticate): Entry[] {
  const { method, path, access, answer } = route;
  const handler = async (event: HttpEvent): Promise<HttpResponse> => {
    const request = readRequest(event);
    // First, so that a stranger learns nothing of what a route expects
    const caller = await authenticate(request, access);
    checkScopes(access, caller);
    const parent = parseTraceparent(request.headers['traceparent']);
    const trace = parent ? childOf(parent) : startTrace();
    const line = logger.child({ requestId: request.headers['x-request-id'], traceId: trace.traceId });
    const { status, body, headers } = await answer(request, { caller, trace, logger: line });
    const own = lowerCaseNames(headers);
    if (body === undefined) return { statusCode: status, headers: own, body: '' };
    return {
      statusCode: status,
      headers: { ...own, 'content-type': 'application/json' },
      body: answerable(JSON.stringify(body), path),
    };
  };
  const methods = method === 'GET' ? (['GET', 'HEAD'] as const) : [method];
  return methods.map((each) => ({ method: each, path, handler }));
}

/** Returns a body. @throws Problem 500 if it is larger than Lambda takes, so that it is the same in containers */
function answerable(body: string, path: string): string {
  // A UTF-16 unit takes three bytes of UTF-8 at most, and an escape doubles them
  if (body.length <= MAX_ANSWER_BYTES / 6 || bytesOfAnswer(body) <= MAX_ANSWER_BYTES) return body;
  const bytes = bytesOfAnswer(body);
  throw new Problem('answer-too-large', {
    detail: `The answer of ${path} has ${bytes} bytes; the server can send ${MAX_ANSWER_BYTES}.`,
  });
}

/** Answers OPTIONS with the path's methods. @throws Problem 405 if the path has other methods, 404 if it has none */
function unrouted(method: string, path: string, routes: readonly Route[]): HttpResponse {
  const own = routes.filter((route) => patternOf(route).test(path)).map((route): string => route.method);
  if (own.length === 0) throw unknownRoute(method, path);
  const allow = [...own, ...(own.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  if (method === 'OPTIONS') return { statusCode: 204, headers: { allow }, body: '' };
  throw new Problem('method-not-allowed', {
    detail: `There is no route ${shown(method, path)} here; expected one of the methods ${allow}.`,
    headers: { allow },
  });
}

function patternOf({ path }: Route): RegExp {
  return new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}

function unknownRoute(method: string, path: string): Problem {
  return new Problem('unknown-route', { detail: `There is no route ${shown(method, path)} here.` });
}

function shown(method: string, path: string): string {
  return `${method.slice(0, MAX_SHOWN_CHARACTERS)} ${path.slice(0, MAX_SHOWN_CHARACTERS)}`;
}

/** Gives each request an id before all else, and puts the id into the answer. */
function identified(): Middleware {
  const identify: NonNullable<Middleware['after']> = (request) => {
    const { statusCode, headers, body } = request.response as HttpResponse;
    const requestId = readRequest(request.event).headers['x-request-id'] ?? '';
    request.response = {
      statusCode,
      headers: { ...DEFAULT_HEADERS, ...headers, 'x-request-id': requestId },
      body,
    };
  };
  return {
    before: ({ event }) => {
      const own = readRequest(event).headers['x-request-id'];
      const others = Object.entries(event.headers ?? {}).filter(
        ([name]) => name.toLowerCase() !== 'x-request-id',
      );
      const requestId = own !== undefined && REQUEST_ID.test(own) ? own : uuidv7();
      event.headers = { ...Object.fromEntries(others), 'x-request-id': requestId };
      // The router's own: a gateway's are decoded already, and would be decoded again
      event.pathParameters = null as never;
    },
    after: identify,
    onError: identify,
  };
}

/** Turns every error into an answer, and logs every answer. */
function answered(logger: Logger): Middleware {
  return {
    before: ({ internal }) => {
      internal.startedAtMs = performance.now();
    },
    after: ({ event, response, internal }) => {
      logger.info(lineOf(event, response as HttpResponse, internal), 'request answered');
    },
    onError: (request) => {
      const problem = asProblem(request.error);
      const requestId = readRequest(request.event).headers['x-request-id'] ?? '';
      request.response = problem.toResponse(requestId);
      const fields = lineOf(request.event, request.response, request.internal);
      if (problem.status >= 500)
        logger.error({ ...fields, error: problem.cause ?? problem }, problem.message);
      else
        logger.info({ ...fields, problem: problem.kind, reason: problem.details.reason }, 'request refused');
    },
  };
}

function lineOf(event: HttpEvent, { statusCode }: HttpResponse, { startedAtMs = 0 }: Internal) {
  const { method, path, headers } = readRequest(event);
  const durationMs = Math.round(performance.now() - startedAtMs);
  return {
    requestId: headers['x-request-id'],
    method,
    path: path.slice(0, MAX_SHOWN_CHARACTERS),
    status: statusCode,
    durationMs,
  };
}

/** Turns a thrown value into a problem. Never throws, although reading a revoked Proxy does. */
function asProblem(thrown: unknown): Problem {
  try {
    return problemOf(thrown);
  } catch {
    return internalError(thrown);
  }
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof RequestMismatchError) {
    const detail = 'This Idempotency-Key belongs to a request with another body; expected a new key.';
    return new Problem('idempotency-key-reused', { detail, cause: error });
  }
  if (error instanceof RequestInProgressError) {
    const detail = 'A request with this Idempotency-Key is in progress. Try again in 1 s.';
    return new Problem('request-in-progress', { detail, headers: { 'retry-after': '1' }, cause: error });
  }
  if (error instanceof SendError ? error.transient : isTransient(error)) {
    const what = error instanceof SendError ? 'The task queue' : 'The store';
    return new Problem('service-unavailable', {
      detail: `${what} does not answer. Try again in ${RETRY_AFTER_SECONDS} s; send a POST with an Idempotency-Key, so that it counts once.`,
      headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
      cause: error,
    });
  }
  return internalError(error);
}

function internalError(cause: unknown): Problem {
  return new Problem('internal-error', {
    detail: 'An unexpected error. The log has it under the requestId.',
    cause,
  });
}
