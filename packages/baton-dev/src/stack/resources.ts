/** The type of a queue. */
export const QUEUE = 'AWS::SQS::Queue';
/** The type of a table. */
export const TABLE = 'AWS::DynamoDB::Table';

/** A value of the template: a plain one, or a function of CloudFormation such as `{ Ref: 'PaymentsQueue' }`. */
export type Value = string | number | boolean | { readonly [name: string]: unknown };

/** A resource of the template. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
  readonly DeletionPolicy?: 'Retain';
  readonly UpdateReplacePolicy?: 'Retain';
}

/** Resources by their logical ids. */
export type Resources = Readonly<Record<string, Resource>>;

/** The ARN of a resource of this stack. CloudFormation must know an attribute `Arn` of its type. */
export function arnOf(id: string): Value {
  return { 'Fn::GetAtt': [id, 'Arn'] };
}

/** A reference to a resource of this stack. CloudFormation makes a queue's URL, a table's name or a role's name of it. */
export function ref(id: string): Value {
  return { Ref: id };
}

/** A text with `${...}`, which CloudFormation fills in. */
export function sub(text: string): Value {
  return { 'Fn::Sub': text };
}

/** The ARN of a queue of this account by its name. Makes no circle when the queue itself names another one. */
export function queueArn(name: string): Value {
  return sub(`arn:\${AWS::Partition}:sqs:\${AWS::Region}:\${AWS::AccountId}:${name}`);
}

/** The logical id that an ARN in the template refers to. Undefined unless it is `!GetAtt Id.Arn`. */
export function idOfArn(arn: unknown): string | undefined {
  const target = (arn as { 'Fn::GetAtt'?: unknown } | null | undefined)?.['Fn::GetAtt'];
  const [id, attribute] =
    typeof target === 'string' ? target.split('.') : Array.isArray(target) ? target : [];
  return attribute === 'Arn' && typeof id === 'string' ? id : undefined;
}

/** The resources of one type, each with its logical id. */
export function ofType(resources: Resources, type: string): [string, Resource][] {
  return Object.entries(resources).filter(([, { Type }]) => Type === type);
}
