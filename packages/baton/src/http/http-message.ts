// HTTP requests and answers, the same in all payload formats of API Gateway.
import type { APIGatewayProxyEvent, APIGatewayProxyEventV2 } from 'aws-lambda';

/** An event of API Gateway, in payload format 2.0 (HTTP APIs, function URLs) or 1.0 (REST APIs). */
export type HttpEvent = APIGatewayProxyEvent | APIGatewayProxyEventV2;

/** An answer, as both payload formats accept it. */
export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The headers of every answer, unless it has its own: it is not stored, and a browser does not guess its type. */
export const DEFAULT_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** A request, independent of the payload format. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Values of a repeated name are joined by commas, as API Gateway 2.0 does. */
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly pathParameters: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/** A body is decoded once, although several parts of an API read the request. */
const bodies = new WeakMap<HttpEvent, Buffer>();

/** Reads the request from an event of either format. */
export function readRequest(event: HttpEvent): HttpRequest {
  const body = bodies.get(event) ?? Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  bodies.set(event, body);
  const headers = lowerCaseNames(event.headers);
  const pathParameters = { ...event.pathParameters };
  if (isVersion2(event)) {
    const { method, path } = event.requestContext.http;
    return { method, path, headers, query: { ...event.queryStringParameters }, pathParameters, body };
  }
  const query = Object.fromEntries(
    Object.entries(event.multiValueQueryStringParameters ?? {}).map(([name, values]) => [
      name,
      values?.join(','),
    ]),
  );
  const { httpMethod: method, path } = event;
  return {
    method,
    path,
    headers: { ...headers, ...authorizationOf(event) },
    query: { ...event.queryStringParameters, ...query },
    pathParameters,
    body,
  };
}

/** Whether an event has payload format 2.0. */
export function isVersion2(event: HttpEvent): event is APIGatewayProxyEventV2 {
  return 'version' in event && event.version === '2.0';
}

/** All `authorization` headers, joined as in 2.0. In `headers`, a format 1.0 event has only the last one. */
function authorizationOf({ headers, multiValueHeaders }: APIGatewayProxyEvent): Record<string, string> {
  const all = Object.entries(multiValueHeaders ?? {}).length > 0 ? multiValueHeaders : headers;
  const values = Object.entries(all ?? {}).flatMap(([name, value]) =>
    name.toLowerCase() === 'authorization' ? (value ?? []) : [],
  );
  return values.length > 0 ? { authorization: values.join(',') } : {};
}

/** Makes the names of headers lower case, so that each stands once. */
export function lowerCaseNames<Value>(
  headers: Readonly<Record<string, Value>> | null | undefined,
): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
}
