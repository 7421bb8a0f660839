import { expect, test } from '@jest/globals';
import { compile, ofType, type Template } from 'baton-dev/testing/compiled-stack';

const ROUTE = 'POST /notifications';

/** The routes of the stage that have limits of their own, and whether each exists before the stage. */
function limited(template: Template): unknown[] {
  const stage = template.Resources['HttpApiStage'] as unknown as {
    readonly Properties: { readonly RouteSettings?: Readonly<Record<string, unknown>> };
    readonly DependsOn: readonly string[];
  };
  const routes = ofType(template, 'AWS::ApiGatewayV2::Route');
  return Object.entries(stage.Properties.RouteSettings ?? {}).map(([key, settings]) => {
    const route = routes.find(({ properties }) => properties['RouteKey'] === key);
    return [key, settings, stage.DependsOn.includes(route?.id ?? 'none')];
  });
}

test('a deploy limits the mails that operators send, whether callers need a token or not', async () => {
  const expected = [[ROUTE, { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 }, true]];
  expect(limited(await compile())).toEqual(expected);
  const open = await compile([], ['--param=public=yes']);
  expect(limited(open)).toEqual(expected);
  const keys = ofType(open, 'AWS::ApiGatewayV2::Route').map(({ properties }) =>
    String(properties['RouteKey']),
  );
  expect(keys.filter((key) => key.endsWith(' /notifications')).toSorted()).toEqual([
    'ANY /notifications',
    ROUTE,
  ]);
}, 60_000);
