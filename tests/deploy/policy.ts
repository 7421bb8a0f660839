import { GetRolePolicyCommand, IAMClient, ListRolePoliciesCommand } from '@aws-sdk/client-iam';

/** A policy as IAM has it. */
export interface Policy {
  readonly Version: string;
  readonly Statement: readonly {
    readonly Effect: string;
    readonly Action: string | readonly string[];
    readonly Resource: string | readonly string[];
  }[];
}

const iam = new IAMClient();

/** The one policy in a role. @throws Error where there are others */
export async function policyOf(RoleName: string): Promise<Policy> {
  const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  const [PolicyName, ...others] = PolicyNames;
  if (others.length > 0) throw new Error(`${RoleName} has policies beside its own: ${others.join(', ')}`);
  const { PolicyDocument = '{}' } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
  return JSON.parse(decodeURIComponent(PolicyDocument)) as Policy;
}

/** What a policy allows, as the gatekeeper has it: `sqs:SendMessage baton-dev-orders`. */
export function allowedBy({ Statement }: Policy): string[] {
  return Statement.flatMap(({ Action, Resource }) =>
    [Action]
      .flat()
      .flatMap((action) =>
        [Resource].flat().map((arn) => `${action} ${arn.replace(/^arn:aws:\w+:[^:]*:\d*:(table\/)?/, '')}`),
      ),
  );
}
