import { describe, expect, test } from '@jest/globals';
import type { Part } from '../../stack/part.ts';
import { closed } from '../forms.ts';
import { httpApiOf, isClosed, routeEvents, routeSettings } from '../gateway.ts';
import { readParameters } from '../parameters.ts';
import { stackOf } from './described.ts';

describe('the API', () => {
  test('is an HTTP API, or with a parameter a REST API with the same routes and limits', () => {
    const routes = (given: Record<string, string>, kind: string) =>
      Object.values(stackOf(given).functions).flatMap(({ events = [] }) =>
        events.flatMap((event) => (kind in event ? [event[kind]] : [])),
      );
    const own = routes({}, 'httpApi');
    expect(own).toEqual(expect.arrayContaining(['ANY /parcels', 'ANY /parcels/{proxy+}']));
    expect(routes({ api: 'http' }, 'http')).toEqual(own);
    expect(routes({ api: 'http' }, 'httpApi')).toEqual([]);
    const bounds = { 'throttle-rate': '7', 'throttle-burst': '9' };
    expect(stackOf(bounds).resources.extensions).toMatchObject({
      HttpApiStage: {
        Properties: { DefaultRouteSettings: { ThrottlingRateLimit: 7, ThrottlingBurstLimit: 9 } },
      },
    });
  });

  test('of type REST has its limits in a separate stage, which names the deployment of its routes', () => {
    const given = { api: 'http', 'throttle-rate': '7', 'throttle-burst': '9' };
    const rest = (more: readonly Part[] = []) => stackOf(given, more).resources;
    const deploymentsOf = ({ extensions }: ReturnType<typeof rest>) =>
      Object.keys(extensions).filter((id) => id.startsWith('ApiGatewayDeployment'));
    const { Resources, extensions } = rest();
    const [deployment = ''] = deploymentsOf(rest());
    expect(Resources['ApiGatewayStage']?.Properties).toEqual({
      RestApiId: { Ref: 'ApiGatewayRestApi' },
      DeploymentId: { Ref: deployment },
      StageName: 'dev',
      MethodSettings: [
        { HttpMethod: '*', ResourcePath: '/*', ThrottlingRateLimit: 7, ThrottlingBurstLimit: 9 },
      ],
    });
    // CloudFormation refuses a deployment that describes an existing stage
    expect(extensions[deployment]).toEqual({ Properties: { StageName: { Ref: 'AWS::NoValue' } } });
    expect(deploymentsOf(rest())).toEqual([deployment]);
    const route = { handler: 'x.handler', access: {}, events: [{ httpApi: 'ANY /payments' }] };
    expect(deploymentsOf(rest([{ functions: { payments: route } }]))).not.toEqual([deployment]);
    expect(stackOf().resources.Resources).not.toHaveProperty('ApiGatewayStage');
  });

  test('with an issuer is closed as a whole, except for preflights, until routes are known', () => {
    const given = { 'jwt-issuer': 'https://login.example.com', 'jwt-audience': 'baton,shop' };
    expect(httpApiOf(readParameters(given)).authorizers?.jwt).toMatchObject({
      type: 'jwt',
      identitySource: '$request.header.Authorization',
      issuerUrl: 'https://login.example.com',
      audience: ['baton', 'shop'],
    });
    const events = Object.values(stackOf(given).functions).flatMap(({ events: all = [] }) =>
      all.filter(({ httpApi }) => httpApi !== undefined),
    );
    const open = events.filter((event) => !isClosed(event));
    expect(events.length).toBe(2 * open.length);
    for (const { httpApi } of open) expect(httpApi).toEqual({ method: 'OPTIONS', path: pathOf(httpApi) });
    expect(events).toContainEqual({
      httpApi: { method: 'ANY', path: '/parcels', authorizer: { name: 'jwt' } },
    });
    expect(httpApiOf(readParameters({}))).toEqual({});
  });

  test('has each declared route with what its access asks for', () => {
    const routes = [
      { method: 'GET', path: '/open', access: 'public' },
      { method: 'POST', path: '/own', access: 'authenticated' },
      { method: 'DELETE', path: '/own/{id}', access: { scopes: ['operator', 'auditor'] } },
    ] as const;
    expect(routeEvents(routes).map(({ httpApi }) => httpApi)).toEqual([
      { method: 'GET', path: '/open' },
      { method: 'HEAD', path: '/open' },
      { method: 'POST', path: '/own', authorizer: { name: 'jwt' } },
      { method: 'DELETE', path: '/own/{id}', authorizer: { name: 'jwt', scopes: ['operator', 'auditor'] } },
    ]);
  });

  test('limits the routes that declare it, HEAD as GET, and no others', () => {
    const throttle = { rate: 5, burst: 10 };
    const settings = { ThrottlingRateLimit: 5, ThrottlingBurstLimit: 10 };
    const routes = [
      { method: 'GET', path: '/open', access: 'public', throttle },
      { method: 'POST', path: '/own/{id}', access: 'authenticated', throttle },
      { method: 'DELETE', path: '/own/{id}', access: 'authenticated' },
    ] as const;
    expect(routeSettings(routes)).toEqual({
      'GET /open': settings,
      'HEAD /open': settings,
      'POST /own/{id}': settings,
    });
  });

  test('of type REST may have a firewall, which limits the requests of one address', () => {
    const { Resources } = stackOf({ api: 'http', 'caller-limit': '1000' }).resources;
    expect(Resources['ApiFirewall']?.Properties).toMatchObject({
      Scope: 'REGIONAL',
      DefaultAction: { Allow: {} },
      Rules: [
        {
          Statement: {
            RateBasedStatement: { AggregateKeyType: 'IP', EvaluationWindowSec: 300, Limit: 1000 },
          },
          Action: { Block: { CustomResponse: { ResponseCode: 429 } } },
        },
      ],
    });
    expect(JSON.stringify(Resources['ApiFirewallAssociation'])).toContain('/stages/${ApiGatewayStage}');
    expect(stackOf({ api: 'http' }).resources.Resources).not.toHaveProperty('ApiFirewall');
  });

  test('of type HTTP can have none, and a deploy that wants one says so', () => {
    expect(() => readParameters({ 'caller-limit': '1000' })).toThrow(
      'caller-limit: expected api=http beside it, because AWS WAF, which counts the requests of a caller, protects no HTTP API',
    );
    expect(() => readParameters({ api: 'http', 'caller-limit': '9' })).toThrow(
      'caller-limit: expected a whole number from 10 to 2000000000',
    );
  });

  test.each([
    [{}, { AUTHENTICATION: '' }],
    [{ public: 'yes' }, { AUTHENTICATION: 'none' }],
    [closed, { AUTHENTICATION: 'jwt', JWT_ISSUER: closed['jwt-issuer'], JWT_AUDIENCE: 'baton' }],
    [
      { ...closed, api: 'http' },
      { AUTHENTICATION: 'jwt', JWT_ISSUER: closed['jwt-issuer'] },
    ],
  ])('tells its functions, and no others, who may call: %j', (given, variables) => {
    const functions = Object.values(stackOf(given).functions);
    const isApi = ({ events = [] }: (typeof functions)[number]) =>
      events.some((event) => 'httpApi' in event || 'http' in event);
    for (const { environment } of functions.filter(isApi)) expect(environment).toMatchObject(variables);
    const others = functions.filter((each) => !isApi(each)).map(({ environment = {} }) => environment);
    expect(others.flatMap((each) => Object.keys(each)).filter((name) => /^AUTH|^JWT/.test(name))).toEqual([]);
  });
});

function pathOf(event: unknown): unknown {
  return (event as { path?: unknown }).path;
}
