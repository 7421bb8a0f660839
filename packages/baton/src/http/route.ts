// The routes of an API.
import * as z from 'zod';
import type { Logger } from '../telemetry/logger.ts';
import type { TraceContext } from '../telemetry/trace-context.ts';
import { valueIssues } from '../task/invalid-value.ts';
import { type Access, checkAccess } from './access.ts';
import type { Caller } from './caller.ts';
import type { HttpRequest } from './http-message.ts';
import { readJsonBody } from './json-body.ts';
import { Problem } from './problem.ts';
import { checkThrottle, type Throttle } from './throttle.ts';

const MAX_PARAMETER_CHARACTERS = 128;
const NO_QUERY = z.strictObject({});

/** The methods of routes. A GET route answers HEAD too. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The argument of a route's function. */
export interface RouteInput<Body, Query> {
  readonly body: Body;
  readonly query: Query;
  /** Who calls, by a verified token. */
  readonly caller: Caller;
  /** The value of a `{name}` in the path. @throws Problem 404 if it is longer than 128 characters, the longest id */
  readonly param: (name: string) => string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly trace: TraceContext;
  readonly logger: Logger;
}

/** The answer of a route that succeeded. */
export interface RouteResult {
  readonly status: number;
  /** Sent as JSON. Leave it out for an answer without a body, as 204 is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A route of an API. Made by `route`. */
export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly access: Access;
  readonly throttle?: Throttle | undefined;
  readonly answer: (
    request: HttpRequest,
    context: Pick<RouteInput<unknown, unknown>, 'caller' | 'trace' | 'logger'>,
  ) => Promise<RouteResult>;
}

/** Configures a route. */
interface RouteOptions<Body extends z.ZodType, Query extends z.ZodType> {
  /** Who may call it. Default: `authenticated`. */
  readonly access?: Access;
  /**
   * How many requests of all callers together it gets. Only an HTTP API of AWS looks at it: elsewhere it does nothing.
   * Default: the parameters `throttle-rate` and `throttle-burst` of the deploy.
   */
  readonly throttle?: Throttle;
  /** The schema of the JSON body. Without it, the route ignores a body. */
  readonly body?: Body;
  /** The schema of the query. Without it, the route refuses a query. */
  readonly query?: Query;
}

/**
 * Defines a route. Before it calls `handle`, the caller is checked (401 without a valid token, 403 without a scope), then
 * query and body. The answer to an invalid request has status 400 and lists all its faults.
 *
 * @param path - such as `/payments/{paymentId}`
 * @throws TypeError if the access is none, the throttle is out of its limits, or the path ends with a slash and is not `/`
 */
export function route<Body extends z.ZodType = z.ZodUndefined, Query extends z.ZodType = z.ZodObject>(
  method: Method,
  path: string,
  { access = 'authenticated', throttle, body: bodySchema, query: querySchema }: RouteOptions<Body, Query>,
  handle: (input: RouteInput<z.output<Body>, z.output<Query>>) => Promise<RouteResult>,
): Route {
  checkAccess(access, `${method} ${path}`);
  checkThrottle(throttle, `${method} ${path}`);
  if (path !== '/' && path.endsWith('/'))
    throw new TypeError(
      `The route ${method} ${path} ends with a slash: expected a path such as ${path.slice(0, -1)}`,
    );
  return {
    method,
    path,
    access,
    throttle,
    answer: (request, context) => {
      const query = checked(querySchema ?? NO_QUERY, request.query, 'The query breaks its schema.');
      const body = bodySchema && checked(bodySchema, readJsonBody(request), 'The body breaks its schema.');
      return handle({
        body: body as z.output<Body>,
        query: query as z.output<Query>,
        param: (name) => pathParameter(request, name),
        headers: request.headers,
        ...context,
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
    detail: `There is no resource at ${path.slice(0, MAX_PARAMETER_CHARACTERS)}...`,
  });
}

/** Decodes a path parameter. Returns it unchanged if a percent sign escapes nothing. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
