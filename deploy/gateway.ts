import type { Parameters } from './parameters.ts';
import { StackError } from './stack-error.ts';

/** The authorizer's name in the HTTP API. */
const JWT = 'jwt';
const ROUTE = /^[A-Z]+ \/\S*$/;

/** What this house uses of Serverless's `extensions`: properties laid over those that Serverless makes. */
export type Extensions = Readonly<Record<string, { readonly Properties: Readonly<Record<string, unknown>> }>>;

/**
 * An event with its route in the form of this deploy's API: of an HTTP API, or of a REST API by `--param api=http`.
 *
 * @throws StackError where the route is not a method and a path
 */
export function gatewayEvent(
  event: Readonly<Record<string, unknown>>,
  { api, jwt }: Parameters,
): Readonly<Record<string, unknown>> {
  const { httpApi } = event;
  if (httpApi === undefined) return event;
  if (typeof httpApi !== 'string' || !ROUTE.test(httpApi))
    throw new StackError(
      `An event httpApi: expected a method and a path, such as 'ANY /orders', got ${JSON.stringify(httpApi)}`,
    );
  if (api === 'http') return { http: httpApi };
  if (!jwt) return event;
  const [method, path] = httpApi.split(' ');
  return { httpApi: { method, path, authorizer: { name: JWT } } };
}

/** `provider.httpApi`: the authorizer that looks at every request's token, where the deploy is given an issuer. */
export function httpApiOf({ jwt }: Parameters) {
  if (!jwt) return {};
  const { issuer: issuerUrl, audience } = jwt;
  const identitySource = '$request.header.Authorization';
  return { authorizers: { [JWT]: { type: JWT, identitySource, issuerUrl, audience } } };
}

/**
 * The API's throttling, in requests a second and in one burst: its own in front of the account's, which all APIs of the
 * account share (API Gateway Developer Guide, "Throttle requests").
 *
 * @param instanceId - Serverless names a REST API's deployment by it
 * @throws StackError where a REST API is asked for with an authorizer of tokens, which only HTTP APIs have
 */
export function gatewayExtensions(
  { api, jwt, throttleRate: rate, throttleBurst: burst }: Parameters,
  instanceId: string,
): Extensions {
  if (api === 'httpApi') {
    const DefaultRouteSettings = { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst };
    return { HttpApiStage: { Properties: { DefaultRouteSettings } } };
  }
  if (jwt)
    throw new StackError('jwt-issuer needs an HTTP API; a REST API (api=http) has no authorizer of tokens');
  const MethodSettings = [
    { HttpMethod: '*', ResourcePath: '/*', ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst },
  ];
  const StageDescription = { MethodSettings };
  return { [`ApiGatewayDeployment${instanceId}`]: { Properties: { StageDescription } } };
}
