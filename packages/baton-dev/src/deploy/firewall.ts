// The firewall in front of a REST API.
import { arnOf, type Resources } from '../stack/resources.ts';
import { stagePrefixOf } from '../stack/names.ts';

/** How long requests of an address are counted, in seconds. */
const WINDOW_SECONDS = 300;
const TOO_MANY_REQUESTS = 429;

/**
 * A firewall of AWS WAF that answers 429 to an address which sends more than `limit` requests in five minutes. It protects
 * the stage of a REST API. AWS WAF takes no HTTP API (AWS WAF Developer Guide, "Resources that you can protect").
 */
export function firewall(limit: number, stage: string): Resources {
  const name = `${stagePrefixOf(stage)}caller-limit`;
  const visibility = { CloudWatchMetricsEnabled: true, MetricName: name, SampledRequestsEnabled: false };
  const rule = {
    Name: 'caller-limit',
    Priority: 0,
    Statement: {
      RateBasedStatement: { AggregateKeyType: 'IP', EvaluationWindowSec: WINDOW_SECONDS, Limit: limit },
    },
    Action: { Block: { CustomResponse: { ResponseCode: TOO_MANY_REQUESTS } } },
    VisibilityConfig: visibility,
  };
  return {
    ApiFirewall: {
      Type: 'AWS::WAFv2::WebACL',
      Properties: {
        Name: name,
        Scope: 'REGIONAL',
        DefaultAction: { Allow: {} },
        VisibilityConfig: visibility,
        Rules: [rule],
      },
    },
    ApiFirewallAssociation: {
      Type: 'AWS::WAFv2::WebACLAssociation',
      Properties: {
        WebACLArn: arnOf('ApiFirewall'),
        ResourceArn: {
          'Fn::Sub':
            'arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${ApiGatewayRestApi}/stages/${ApiGatewayStage}',
        },
      },
    },
  };
}
