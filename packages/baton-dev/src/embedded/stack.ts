import * as z from 'zod';

const queueSchema = z.object({
  Type: z.literal('AWS::SQS::Queue'),
  Properties: z.looseObject({ QueueName: z.string() }),
});

const tableSchema = z.object({
  Type: z.literal('AWS::DynamoDB::Table'),
  Properties: z.looseObject({ TableName: z.string() }),
});

const redriveSchema = z.object({ deadLetterTargetArn: z.unknown(), maxReceiveCount: z.int() });

/** CloudFormation's resources by their logical ids, as the services' functions.yml describe them. */
export type Resources = Readonly<Record<string, unknown>>;

/** A queue of the stack, with the attributes that CreateQueue takes. */
export interface QueueDescription {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Where SQS itself puts a message that was received too often. */
  readonly redrive: { readonly to: string; readonly maxReceiveCount: number } | undefined;
}

/** A table of the stack, with the members that CreateTable takes. */
export interface TableDescription {
  readonly name: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly timeToLiveAttribute: string | undefined;
}

/**
 * The queues of a stack, without what only AWS does for them: tags, and who else may use a dead letter queue.
 *
 * @throws Error naming the property that this runtime does not understand
 */
export function queuesOf(resources: Resources): QueueDescription[] {
  return resourcesOf(resources, queueSchema).map(
    ([id, { QueueName, RedrivePolicy, RedriveAllowPolicy: _allowed, Tags: _tags, ...rest }]) => {
      const attributes = Object.entries(rest).map(([name, value]) => [
        name,
        attributeText(`${id}.${name}`, value),
      ]);
      const redrive = redriveSchema.optional().safeParse(RedrivePolicy);
      if (!redrive.success)
        throw new Error(`${id}.RedrivePolicy: expected deadLetterTargetArn and maxReceiveCount`);
      return {
        name: QueueName,
        attributes: Object.fromEntries(attributes) as Record<string, string>,
        redrive: redrive.data && {
          to: queueNameOfArn(redrive.data.deadLetterTargetArn, resources),
          maxReceiveCount: redrive.data.maxReceiveCount,
        },
      };
    },
  );
}

/** The tables of a stack, without their backups, which only AWS makes. */
export function tablesOf(resources: Resources): TableDescription[] {
  return resourcesOf(resources, tableSchema).map(
    ([
      ,
      { TableName, TimeToLiveSpecification, PointInTimeRecoverySpecification: _backup, ...properties },
    ]) => {
      const timeToLive = z.object({ AttributeName: z.string() }).optional().parse(TimeToLiveSpecification);
      return {
        name: TableName,
        properties: { TableName, ...properties },
        timeToLiveAttribute: timeToLive?.AttributeName,
      };
    },
  );
}

/** The name of the queue that an ARN in the template means: `!GetAtt Queue.Arn`, or the ARN itself. */
export function queueNameOfArn(arn: unknown, resources: Resources): string {
  if (typeof arn === 'string') return arn.slice(arn.lastIndexOf(':') + 1);
  const { 'Fn::GetAtt': target } = z.object({ 'Fn::GetAtt': z.array(z.string()).or(z.string()) }).parse(arn);
  const [id = '', attribute] = typeof target === 'string' ? target.split('.') : target;
  const queue = queueSchema.safeParse(resources[id]);
  if (attribute !== 'Arn' || !queue.success)
    throw new Error(`${id}.${attribute} is not the ARN of a queue of this stack`);
  return queue.data.Properties.QueueName;
}

/** The resources of a schema's type. @throws Error naming one that is of the type but not of the schema */
function resourcesOf<Schema extends typeof queueSchema | typeof tableSchema>(
  resources: Resources,
  schema: Schema,
): [string, z.output<Schema>['Properties']][] {
  type Properties = z.output<Schema>['Properties'];
  return Object.entries(resources).flatMap(([id, resource]): [string, Properties][] => {
    if ((resource as { Type?: unknown }).Type !== schema.shape.Type.value) return [];
    const parsed = schema.safeParse(resource);
    if (!parsed.success) throw new Error(`${id}: ${z.prettifyError(parsed.error)}`);
    return [[id, parsed.data.Properties]];
  });
}

function attributeText(where: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  throw new Error(`${where} is more than a plain value; the embedded runtime does not understand it`);
}
