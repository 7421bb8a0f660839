// The API of the stack on AWS.
import { createHash } from 'node:crypto';
import type { DeclaredRoute } from './load-function.ts';
import type { Parameters } from './parameters.ts';
import type { Extension } from '../stack/serverless.ts';
import { StackError } from '../stack/stack-error.ts';
import { ref, type Resources } from '../stack/resources.ts';
import { firewall } from './firewall.ts';

/** The authorizer's name in the HTTP API. */
const JWT = 'jwt';
/** The logical id that Serverless gives a REST API's deployment, before its changing suffix. */
const DEPLOYMENT = 'ApiGatewayDeployment';
const REST_STAGE = 'ApiGatewayStage';
/** The logical id that Serverless gives the stage of an HTTP API. */
export const HTTP_STAGE = 'HttpApiStage';
const ROUTE = /^[A-Z]+ \/\S*$/;

/** Serverless's `extensions`, by the logical ids of resources. */
export type Extensions = Readonly<Record<string, Extension>>;

/** An event of a function, for Serverless. */
type GatewayEvent = Readonly<Record<string, unknown>>;

/**
 * Translates an event's prefix for the API of this deploy: an HTTP API, or a REST API with `--param api=http`. If callers
 * need a token, the prefix of an HTTP API is closed, except for preflights (OPTIONS), which have none. `routeEvents` opens
 * what an API declares. In a REST API the functions alone check tokens.
 *
 * @throws StackError if the prefix is not a method and a path
 */
export function gatewayEvents(event: GatewayEvent, { api, jwt }: Parameters): GatewayEvent[] {
  const { httpApi } = event;
  if (httpApi === undefined) return [event];
  if (typeof httpApi !== 'string' || !ROUTE.test(httpApi))
    throw new StackError(
      `An event httpApi: expected a method and a path, such as 'ANY /payments', got ${JSON.stringify(httpApi)}`,
    );
  if (api === 'http') return [{ http: httpApi }];
  if (!jwt) return [event];
  const [method, path] = httpApi.split(' ');
  return [{ httpApi: { method, path, authorizer: { name: JWT } } }, { httpApi: { method: 'OPTIONS', path } }];
}

/**
 * Makes the events of an HTTP API's declared routes, each with what its `access` asks for: nothing, a token, or a token
 * with one of some scopes. They are more special than the prefix, so API Gateway prefers them.
 */
export function routeEvents(routes: readonly DeclaredRoute[]): GatewayEvent[] {
  return routes.flatMap(({ method, path, access }) => {
    const scopes = typeof access === 'string' ? {} : { scopes: access.scopes };
    const authorizer = access === 'public' ? {} : { authorizer: { name: JWT, ...scopes } };
    return methodsOf(method).map((each) => ({ httpApi: { method: each, path, ...authorizer } }));
  });
}

/** The settings of a stage for one route. */
export interface RouteSettings {
  readonly ThrottlingRateLimit: number;
  readonly ThrottlingBurstLimit: number;
}

/**
 * The settings of an HTTP API's stage for the routes that declare a `throttle`, by their route keys: `POST /payments`. HEAD
 * is a route of its own, with the limits of GET.
 */
export function routeSettings(routes: readonly DeclaredRoute[]): Record<string, RouteSettings> {
  const entries = routes.flatMap(({ method, path, throttle }) => {
    if (!throttle) return [];
    const settings = { ThrottlingRateLimit: throttle.rate, ThrottlingBurstLimit: throttle.burst };
    return methodsOf(method).map((each): [string, RouteSettings] => [`${each} ${path}`, settings]);
  });
  return Object.fromEntries(entries);
}

/** The methods that API Gateway needs for a route: a GET route answers HEAD too. */
function methodsOf(method: string): string[] {
  return method === 'GET' ? ['GET', 'HEAD'] : [method];
}

/** Whether an event has the authorizer that checks tokens. */
export function isClosed({ httpApi }: GatewayEvent): boolean {
  return (httpApi as { authorizer?: { name?: unknown } } | undefined)?.authorizer?.name === JWT;
}

/** `provider.httpApi`: the authorizer that checks the token of each request, if the deploy gets an issuer. */
export function httpApiOf({ api, jwt }: Parameters) {
  if (!jwt || api === 'http') return {};
  const { issuer: issuerUrl, audience } = jwt;
  const identitySource = '$request.header.Authorization';
  return { authorizers: { [JWT]: { type: JWT, identitySource, issuerUrl, audience } } };
}

/** The functions of an API. */
type Routed = Readonly<Record<string, { readonly events?: readonly Readonly<Record<string, unknown>>[] }>>;

/** The parts of an API beside its routes. */
export interface Gateway {
  readonly Resources: Resources;
  readonly extensions: Extensions;
}

/**
 * Makes the API's throttling, in requests a second and in one burst, in addition to the account's limit that all its APIs
 * share (API Gateway Developer Guide, "Throttle requests").
 *
 * A REST API has it in its stage. Serverless creates the stage in the deployment, and CloudFormation applies a stage's
 * settings there only once, so each further deploy would fail. Therefore the stage is a resource here, which refers to the
 * deployment of its routes.
 */
export function gatewayOf(
  functions: Routed,
  { api, throttleRate: rate, throttleBurst: burst, callerLimit }: Parameters,
  stage: string,
): Gateway {
  const bounds = { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst };
  if (api === 'httpApi')
    return { Resources: {}, extensions: { [HTTP_STAGE]: { Properties: { DefaultRouteSettings: bounds } } } };
  const deployment = `${DEPLOYMENT}${digestOfRoutes(functions)}`;
  const Properties = {
    RestApiId: ref('ApiGatewayRestApi'),
    DeploymentId: ref(deployment),
    StageName: stage,
    MethodSettings: [{ HttpMethod: '*', ResourcePath: '/*', ...bounds }],
  };
  return {
    Resources: {
      [REST_STAGE]: { Type: 'AWS::ApiGateway::Stage', Properties },
      ...(callerLimit !== undefined && firewall(callerLimit, stage)),
    },
    extensions: { [deployment]: { Properties: { StageName: ref('AWS::NoValue') } } },
  };
}

/** The suffix for `ApiGatewayDeployment`, read from the resources of `gatewayOf`. Undefined for an HTTP API. */
export function deploymentSuffix({ [REST_STAGE]: stage }: Resources): string | undefined {
  const { DeploymentId } = (stage?.Properties ?? {}) as { DeploymentId?: { Ref: string } };
  return DeploymentId?.Ref.slice(DEPLOYMENT.length);
}

/** The digest of the routes. A deployment has the routes of its creation, so other routes need another deployment. */
function digestOfRoutes(functions: Routed): string {
  const routes = Object.entries(functions).flatMap(([name, { events = [] }]) =>
    events.flatMap(({ httpApi }) => (typeof httpApi === 'string' ? [`${name} ${httpApi}`] : [])),
  );
  return createHash('sha256').update(routes.toSorted().join('\n')).digest('hex').slice(0, 16);
}
