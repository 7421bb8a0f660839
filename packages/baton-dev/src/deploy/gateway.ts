import { createHash } from 'node:crypto';
import type { Parameters } from './parameters.ts';
import { StackError } from '../stack/stack-error.ts';
import { ref, type Resources } from '../stack/resources.ts';

/** The authorizer's name in the HTTP API. */
const JWT = 'jwt';
/** What Serverless calls a REST API's deployment, before something that is another each time. */
const DEPLOYMENT = 'ApiGatewayDeployment';
const REST_STAGE = 'ApiGatewayStage';
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
      `An event httpApi: expected a method and a path, such as 'ANY /payments', got ${JSON.stringify(httpApi)}`,
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

/** Functions, as far as an API looks at them. */
type Routed = Readonly<Record<string, { readonly events?: readonly Readonly<Record<string, unknown>>[] }>>;

/** What an API has beside its routes. */
export interface Gateway {
  readonly Resources: Resources;
  readonly extensions: Extensions;
}

/**
 * The API's throttling, in requests a second and in one burst: its own in front of the account's, which all APIs of the
 * account share (API Gateway Developer Guide, "Throttle requests").
 *
 * A REST API has it in its stage. Serverless lets a deployment make the stage, and CloudFormation takes a stage's
 * settings from a deployment only where there is none yet, so that each further deploy would fail: here the stage is a
 * resource of its own, which names the deployment of its routes.
 *
 * @throws StackError where a REST API is asked for with an authorizer of tokens, which only HTTP APIs have
 */
export function gatewayOf(
  functions: Routed,
  { api, jwt, throttleRate: rate, throttleBurst: burst }: Parameters,
  stage: string,
): Gateway {
  const bounds = { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst };
  if (api === 'httpApi')
    return { Resources: {}, extensions: { HttpApiStage: { Properties: { DefaultRouteSettings: bounds } } } };
  if (jwt)
    throw new StackError('jwt-issuer needs an HTTP API; a REST API (api=http) has no authorizer of tokens');
  const deployment = `${DEPLOYMENT}${digestOfRoutes(functions)}`;
  const Properties = {
    RestApiId: ref('ApiGatewayRestApi'),
    DeploymentId: ref(deployment),
    StageName: stage,
    MethodSettings: [{ HttpMethod: '*', ResourcePath: '/*', ...bounds }],
  };
  return {
    Resources: { [REST_STAGE]: { Type: 'AWS::ApiGateway::Stage', Properties } },
    extensions: { [deployment]: { Properties: { StageName: ref('AWS::NoValue') } } },
  };
}

/** What Serverless is to put behind `ApiGatewayDeployment`, by the resources of `gatewayOf`; only a REST API has one. */
export function deploymentSuffix({ [REST_STAGE]: stage }: Resources): string | undefined {
  const { DeploymentId } = (stage?.Properties ?? {}) as { DeploymentId?: { Ref: string } };
  return DeploymentId?.Ref.slice(DEPLOYMENT.length);
}

/** A deployment is what the routes were when it was made: other routes need another one. */
function digestOfRoutes(functions: Routed): string {
  const routes = Object.entries(functions).flatMap(([name, { events = [] }]) =>
    events.flatMap(({ httpApi }) => (typeof httpApi === 'string' ? [`${name} ${httpApi}`] : [])),
  );
  return createHash('sha256').update(routes.toSorted().join('\n')).digest('hex').slice(0, 16);
}
