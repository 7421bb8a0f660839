import { type Access, allow, type Statement, tableStatements } from './access.ts';
import type { SourceQueue } from '../stack/queues.ts';
import { arnOf, ref, type Resource, type Resources } from '../stack/resources.ts';

/** Who may do what. */
export interface RoleOptions {
  /** The AWS service that takes the role on, such as `lambda.amazonaws.com`. */
  readonly service: string;
  readonly statements: readonly Statement[];
  /** Takes the role on for things of this account alone; not every service says for whose it does. */
  readonly ownAccountOnly?: boolean;
}

/** A role that one AWS service takes on, with one policy in it. CloudFormation names it after the stack. */
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

/** Who consumes which queues, and uses what. */
export interface ConsumerAccess {
  readonly consumed: readonly SourceQueue[];
  readonly access: Access;
  /** What else is done with consumed queues: Lambda's event source asks for their attributes. */
  readonly queueActions?: readonly string[];
}

/**
 * What lets a consumer receive and settle messages, set dead letters aside with their reason, and do what its access
 * says. It sends to its own queues too: messages go on in copies, those of unknown tasks or that are old, say.
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
 * Writing to one log group. The ARN that CloudFormation gives of a log group means its streams too, whose names Lambda
 * and ECS choose.
 */
export function logStatement(logGroupId: string): Statement {
  return allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [arnOf(logGroupId)]);
}
