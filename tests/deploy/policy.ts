import { GetRolePolicyCommand, IAMClient, ListRolePoliciesCommand } from '@aws-sdk/client-iam';

/** A policy in IAM's format. */
export interface Policy {
  readonly Version: string;
  readonly Statement: readonly {
    readonly Effect: string;
    readonly Action: string | readonly string[];
    readonly Resource: string | readonly string[];
  }[];
}

const iam = new IAMClient();

/** The only inline policy of a role. @throws Error if it has more */
export async function policyOf(RoleName: string): Promise<Policy> {
  const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  const [PolicyName, ...others] = PolicyNames;
  if (others.length > 0)
    throw new Error(`${RoleName} has policies beside ${PolicyName}: ${others.join(', ')}`);
  const { PolicyDocument = '{}' } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
  return JSON.parse(decodeURIComponent(PolicyDocument)) as Policy;
}

/** The actions that a policy allows, in the gatekeeper's form: `sqs:SendMessage baton-dev-letters`. */
export function allowedBy({ Statement }: Policy): string[] {
  return Statement.flatMap(({ Action, Resource }) =>
    [Action]
      .flat()
      .flatMap((action) =>
        [Resource].flat().map((arn) => `${action} ${arn.replace(/^arn:aws:\w+:[^:]*:\d*:(table\/)?/, '')}`),
      ),
  );
}
