import { GetRolePolicyCommand, IAMClient, ListRolePoliciesCommand } from '@aws-sdk/client-iam';

/** A policy in IAM's format. */
export interface Policy {
  readonly Version: string;
  readonly Statement: readonly {
    readonly Effect: string;
    readonly Action: string | readonly string[];
    readonly Resource: string | readonly string[];
    readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
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

/** Something that a policy allows. */
export interface Allowed {
  /** The action in the gatekeeper's form: `sqs:SendMessage baton-dev-letters`. */
  readonly use: string;
  /** The only attributes that the request may name. Undefined if it may name all. */
  readonly attributes: ReadonlySet<string> | undefined;
}

/** What a policy allows. @throws Error if it has a condition that the gatekeeper does not know */
export function allowedBy({ Statement }: Policy): Allowed[] {
  return Statement.flatMap(({ Action, Resource, Condition }) => {
    const attributes = Condition && attributesIn(Condition);
    return [Action].flat().flatMap((action) =>
      [Resource].flat().map((arn) => ({
        use: `${action} ${nameIn(arn)}`,
        attributes,
      })),
    );
  });
}

/** The name in an ARN, such as a queue's. */
export function nameIn(arn: string): string {
  return arn.replace(/^arn:aws:\w+:[^:]*:\d*:(table\/)?/, '');
}

function attributesIn(condition: NonNullable<Policy['Statement'][number]['Condition']>): ReadonlySet<string> {
  const { 'ForAllValues:StringEquals': { 'dynamodb:Attributes': names = [], ...keys } = {}, ...others } =
    condition;
  if (Object.keys({ ...keys, ...others }).length > 0)
    throw new Error(`The gatekeeper does not know the condition ${JSON.stringify(condition)}`);
  return new Set([names].flat());
}
