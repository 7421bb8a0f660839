// The compiled template, for tests.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from './program.ts';
import { closed, localParams, params, secretParams } from '../deploy/forms.ts';
import { readParts } from '../stack/part.ts';
import type { Resource } from '../stack/resources.ts';

const SERVERLESS = 'node_modules/serverless/bin/serverless.js';
const TEMPLATE = 'cloudformation-template-update-stack.json';

/** A template as `serverless package` writes it. */
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
}

/**
 * The template that a deploy with these arguments would upload. One at a time: Serverless has one folder to work in.
 *
 * @param authentication - who may call the API. Default: callers with a token
 */
export async function compile(
  args: readonly string[] = [],
  authentication: readonly string[] = params(closed),
): Promise<Template> {
  const folder = await mkdtemp(join(tmpdir(), 'baton-package-'));
  try {
    const parts = readParts('dev');
    const program = new Program(SERVERLESS, {}, [
      'package',
      '--package',
      folder,
      ...authentication,
      ...localParams(parts),
      ...secretParams(parts),
      ...args,
    ]);
    if ((await program.ended()) !== 0) throw new Error(program.output);
    return JSON.parse(await readFile(join(folder, TEMPLATE), 'utf8')) as Template;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The resources of one type, with their logical ids. */
export function ofType({ Resources }: Pick<Template, 'Resources'>, type: string) {
  return Object.entries(Resources)
    .filter(([, resource]) => resource.Type === type)
    .map(([id, { Properties }]) => ({ id, properties: Properties }));
}

/** A statement of a policy in the template. */
export interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
}

/** The statements of a role's own policies. */
export function statementsOf({ Resources }: Pick<Template, 'Resources'>, roleId: string): Statement[] {
  const { Policies = [] } = (Resources[roleId]?.Properties ?? {}) as {
    Policies?: { PolicyDocument: { Statement: Statement[] } }[];
  };
  return Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

/** The rights of a role, such as `sqs:SendMessage PaymentsQueue`, sorted. */
export function allowedBy(template: Pick<Template, 'Resources'>, roleId: string): string[] {
  return statementsOf(template, roleId)
    .flatMap(({ Action, Resource }) =>
      [Action].flat().flatMap((action) => [Resource].flat().map((each) => `${action} ${target(each)}`)),
    )
    .toSorted();
}

/** The resource of an ARN in the template: a logical id, perhaps with an index of a table. */
function target(arn: unknown): string {
  const { 'Fn::GetAtt': attribute, 'Fn::Sub': text } = arn as { 'Fn::GetAtt'?: string[]; 'Fn::Sub'?: string };
  if (attribute) return attribute[0] ?? '';
  return text?.replace(/^\$\{(\w+)\.Arn\}/, '$1') ?? String(arn);
}

/** The rights of a function on its log. */
export function logs(name: string): string[] {
  return [`logs:CreateLogStream ${name}LogGroup`, `logs:PutLogEvents ${name}LogGroup`];
}

/** The rights to consume a queue. */
export function consumes(queue: string): string[] {
  const actions = ['ChangeMessageVisibility', 'DeleteMessage', 'GetQueueAttributes', 'ReceiveMessage'];
  return actions.map((action) => `sqs:${action} ${queue}`);
}

/** The rights to send to queues. */
export function sends(...queues: string[]): string[] {
  return queues.map((queue) => `sqs:SendMessage ${queue}`);
}

/** The rights to do some actions with a table, or with one of its indexes. */
export function uses(table: string, ...actions: string[]): string[] {
  return actions.map((action) => `dynamodb:${action} ${table}`);
}
