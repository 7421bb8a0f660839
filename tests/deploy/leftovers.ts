import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { IAMClient, ListRolesCommand } from '@aws-sdk/client-iam';
import { LambdaClient, ListEventSourceMappingsCommand, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { ListQueuesCommand } from '@aws-sdk/client-sqs';
import type { Deployment } from './deployment.ts';

/** The queues, tables, functions, event sources, roles and logs with the name of a deployment. */
export async function resourcesOf({ prefix, stage, sqs }: Deployment): Promise<string[]> {
  const lambda = new LambdaClient();
  const [queues, tables, functions, mappings, roles, logs] = await Promise.all([
    sqs.send(new ListQueuesCommand({ QueueNamePrefix: prefix })),
    new DynamoDBClient().send(new ListTablesCommand()),
    lambda.send(new ListFunctionsCommand()),
    lambda.send(new ListEventSourceMappingsCommand()),
    new IAMClient().send(new ListRolesCommand()),
    new CloudWatchLogsClient().send(new DescribeLogGroupsCommand()),
  ]);
  const names = [
    ...(queues.QueueUrls ?? []),
    ...(tables.TableNames ?? []),
    ...(functions.Functions ?? []).map(({ FunctionArn }) => FunctionArn),
    ...(mappings.EventSourceMappings ?? []).map(({ EventSourceArn }) => EventSourceArn),
    ...(roles.Roles ?? []).map(({ RoleName }) => RoleName),
    ...(logs.logGroups ?? []).map(({ logGroupName }) => logGroupName),
  ];
  return names.filter((name): name is string => name?.includes(`baton-${stage}`) === true);
}
