import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { type Deployment, EMULATOR } from './deployment.ts';
import { Gatekeeper } from './gatekeeper.ts';
import { type Allowed, allowedBy, policyOf } from './policy.ts';

/** Actions that Lambda itself does with a function's role: writing its log and polling its queues. */
const BY_LAMBDA = /^(logs:|sqs:(ReceiveMessage|DeleteMessage|GetQueueAttributes) )/;

/** Enforced roles of functions. */
export interface Enforced {
  /** Actions that roles do not allow but functions tried. */
  readonly refused: readonly string[];
  /** Actions that a function's role allows but the function has not used. `functionId` is its name in the template. */
  unused(functionId: string): string[];
  stop(): Promise<void>;
}

/**
 * Enforces the role of every function of a deployment: their calls go through a gatekeeper. Unknown tasks become dead
 * letters after 2 s, instead of 6 hours.
 */
export async function enforceRoles(deployment: Deployment): Promise<Enforced> {
  const lambda = new LambdaClient();
  const gatekeeper = await Gatekeeper.start(EMULATOR.AWS_ENDPOINT_URL);
  const allowed = new Map<string, Allowed[]>();
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
        AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint,
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
      const uses = (allowed.get(id) ?? []).map(({ use }) => use);
      const own = uses.filter((use) => !BY_LAMBDA.test(use) && !used.has(use));
      return own.map((use) => use.replace(deployment.prefix, '')).toSorted();
    },
    stop: () => gatekeeper.stop(),
  };
}
