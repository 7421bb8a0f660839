import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { type Deployment, EMULATOR } from './deployment.ts';
import { Gatekeeper } from './gatekeeper.ts';
import { allowedBy, policyOf } from './policy.ts';

/** What Lambda itself does by a function's role: its log, and polling its queues. */
const BY_LAMBDA = /^(logs:|sqs:(ReceiveMessage|DeleteMessage|GetQueueAttributes) )/;

/** Roles that are held to. */
export interface Enforced {
  /** What functions tried that their roles do not allow. */
  readonly refused: readonly string[];
  /** What a function's role allows, and the function has not done: by the function's name in the template. */
  unused(functionId: string): string[];
  stop(): Promise<void>;
}

/**
 * Holds every function of a deployment to its role, by sending its calls through a gatekeeper. Unknown tasks are dead
 * letters once they have rested for 2 s, in place of 6 hours.
 */
export async function enforceRoles(deployment: Deployment): Promise<Enforced> {
  const lambda = new LambdaClient();
  const gatekeeper = await Gatekeeper.start(EMULATOR.AWS_ENDPOINT_URL);
  const allowed = new Map<string, string[]>();
  const functions = await deployment.described('AWS::Lambda::Function');
  await Promise.all(
    functions.map(async ([id]) => {
      const FunctionName = deployment.physicalId(id);
      const { Environment, Role = '' } = await lambda.send(
        new GetFunctionConfigurationCommand({ FunctionName }),
      );
      allowed.set(id, allowedBy(await policyOf(Role.slice(Role.lastIndexOf('/') + 1))));
      const endpoint = gatekeeper.admit(id, allowed.get(id) ?? []);
      const Variables = {
        ...Environment?.Variables,
        AWS_ENDPOINT_URL_SQS: endpoint,
        AWS_ENDPOINT_URL_DYNAMODB: endpoint,
        UNKNOWN_TASK_PATIENCE_SECONDS: '2',
      };
      await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables } }));
      await waitUntilFunctionUpdatedV2(
        { client: lambda, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
        { FunctionName },
      );
    }),
  );
  return {
    refused: gatekeeper.refused,
    unused: (id) => {
      const used = gatekeeper.used(id);
      const own = (allowed.get(id) ?? []).filter((use) => !BY_LAMBDA.test(use) && !used.has(use));
      return own.map((use) => use.replace(deployment.prefix, '')).toSorted();
    },
    stop: () => gatekeeper.stop(),
  };
}
