// Events of API Gateway, made from requests of Node's HTTP server.
import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { v7 as uuidv7 } from 'uuid';

/**
 * Makes the event that API Gateway would make of a request: payload format 2.0 of an HTTP API, stage `$default` (AWS:
 * "Working with AWS Lambda proxy integrations for HTTP APIs"). The path is not decoded.
 */
export function toGatewayEvent(request: IncomingMessage, body: Buffer): APIGatewayProxyEventV2 {
  const [, path = '/', query = ''] = /^([^?]*)(?:\?(.*))?$/s.exec(request.url ?? '/') ?? [];
  const method = request.method ?? 'GET';
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: query,
    headers: joinedHeaders(request),
    ...(query && { queryStringParameters: joinedQuery(new URLSearchParams(query)) }),
    requestContext: {
      accountId: 'local',
      apiId: 'local',
      domainName: request.headers.host ?? '',
      domainPrefix: '',
      http: {
        method,
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? '',
        userAgent: request.headers['user-agent'] ?? '',
      },
      requestId: uuidv7(),
      routeKey: '$default',
      stage: '$default',
      time: new Date().toISOString(),
      timeEpoch: Date.now(),
    },
    ...(body.byteLength > 0 && { body: body.toString('base64') }),
    isBase64Encoded: body.byteLength > 0,
  };
}

function joinedHeaders({ headers, headersDistinct }: IncomingMessage): Record<string, string> {
  // Node drops all but the first of these; two tokens are none
  const { authorization } = headersDistinct;
  const entries = Object.entries({ ...headers, ...(authorization && { authorization }) }).filter(
    ([, value]) => value !== undefined,
  );
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : String(value)]),
  );
}

function joinedQuery(parameters: URLSearchParams): Record<string, string> {
  const values = new Map<string, string>();
  // In one pass: `getAll` looks at all parameters for each name
  for (const [name, value] of parameters) {
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(values);
}
