// The roles of the stack.
import { type Access, allow, type Statement, tableStatements } from './access.ts';
import type { SourceQueue } from '../stack/queues.ts';
import { arnOf, ref, type Resource, type Resources } from '../stack/resources.ts';

/** Configures a role. */
export interface RoleOptions {
  /** The AWS service that assumes the role, such as `lambda.amazonaws.com`. */
  readonly service: string;
  readonly statements: readonly Statement[];
  /** Whether the service must act for this account. Not every service names the account. Default false. */
  readonly ownAccountOnly?: boolean;
}

/** Makes a role that an AWS service assumes, with one policy. CloudFormation names it after the stack. */
export function role({ service, statements, ownAccountOnly = false }: RoleOptions): Resource {
  const Condition = { StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') } };
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: service },
            Action: 'sts:AssumeRole',
            ...(ownAccountOnly && { Condition }),
          },
        ],
      },
      Policies: [{ PolicyName: 'access', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
    },
  };
}

/** The access of a consumer: its queues, and its `access`. */
export interface ConsumerAccess {
  readonly consumed: readonly SourceQueue[];
  readonly access: Access;
  /** Further actions on consumed queues: Lambda's event source reads their attributes. */
  readonly queueActions?: readonly string[];
}

/**
 * The statements that let a consumer receive and settle messages, send dead letters, and use its `access`. It also sends to
 * its own queues, because messages continue in copies.
 */
export function consumerStatements(
  { consumed, access, queueActions = [] }: ConsumerAccess,
  resources: Resources,
): Statement[] {
  const actions = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', ...queueActions];
  const own = consumed.flatMap(({ id, deadLetters }) => [id, deadLetters.id]);
  const targets = new Set([...own, ...access.queues]);
  return [
    ...(consumed.length > 0
      ? [
          allow(
            actions,
            consumed.map(({ id }) => arnOf(id)),
          ),
        ]
      : []),
    ...(targets.size > 0 ? [allow(['sqs:SendMessage'], [...targets].map(arnOf))] : []),
    ...tableStatements(access, resources),
  ];
}

/**
 * The statement to write to one log group. The ARN that CloudFormation gives also covers its streams, whose names Lambda and
 * ECS choose.
 */
export function logStatement(logGroupId: string): Statement {
  return allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [arnOf(logGroupId)]);
}
