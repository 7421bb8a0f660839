import * as z from 'zod';
import type { Logger } from '../telemetry/logger.ts';
import type { TraceContext } from '../telemetry/trace-context.ts';
import { valueIssues } from '../task/invalid-value.ts';
import type { HttpRequest } from './http-message.ts';
import { readJsonBody } from './json-body.ts';
import { Problem } from './problem.ts';

const MAX_PARAMETER_CHARACTERS = 128;
const NO_QUERY = z.strictObject({});

/** The methods that routes may have. A GET route answers HEAD too. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What a route's function is given. */
export interface RouteInput<Body, Query> {
  readonly body: Body;
  readonly query: Query;
  /** The value of a `{name}` in the path. @throws Problem 404 when it is longer than any id of this house */
  readonly param: (name: string) => string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly trace: TraceContext;
  readonly logger: Logger;
}

/** A happy answer. */
export interface RouteResult {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One route, as api.ts lists it. */
export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly answer: (request: HttpRequest, trace: TraceContext, logger: Logger) => Promise<RouteResult>;
}

interface RouteSchemas<Body extends z.ZodType, Query extends z.ZodType> {
  /** The JSON body's schema; a route without one takes no notice of a body. */
  readonly body?: Body;
  /** The query's schema; a route without one takes no query. */
  readonly query?: Query;
}

/**
 * Defines a route. Body and query are checked before `handle` is called; what is wrong with them is answered with
 * status 400 and every path that is wrong.
 *
 * @param path - such as `/payments/{paymentId}`
 */
export function route<Body extends z.ZodType = z.ZodUndefined, Query extends z.ZodType = z.ZodObject>(
  method: Method,
  path: string,
  { body: bodySchema, query: querySchema }: RouteSchemas<Body, Query>,
  handle: (input: RouteInput<z.output<Body>, z.output<Query>>) => Promise<RouteResult>,
): Route {
  return {
    method,
    path,
    answer: (request, trace, logger) => {
      const query = checked(querySchema ?? NO_QUERY, request.query, 'The query is not valid.');
      const body = bodySchema && checked(bodySchema, readJsonBody(request), 'The body breaks its schema.');
      return handle({
        body: body as z.output<Body>,
        query: query as z.output<Query>,
        param: (name) => pathParameter(request, name),
        headers: request.headers,
        trace,
        logger,
      });
    },
  };
}

function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, detail: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Problem('invalid-request', { detail, errors: valueIssues(parsed.error) });
}

function pathParameter({ path, pathParameters }: HttpRequest, name: string): string {
  const value = decoded(pathParameters[name] ?? '');
  if (value.length <= MAX_PARAMETER_CHARACTERS) return value;
  throw new Problem('not-found', {
    detail: `There is nothing at ${path.slice(0, MAX_PARAMETER_CHARACTERS)}...`,
  });
}

/** A path parameter comes as it stood in the URL; a percent sign that escapes nothing is then itself. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
