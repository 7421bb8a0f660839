import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  CloudFormationClient,
  DescribeStackResourcesCommand,
  type StackResource,
} from '@aws-sdk/client-cloudformation';
import { createSqsClient, QueueUrls } from 'baton-tasks/tooling';
import { localParams } from 'baton-dev/deploy/forms';
import { readParts } from 'baton-dev/stack/part';
import { Program } from 'baton-dev/testing/program';

const SERVERLESS = 'node_modules/serverless/bin/serverless.js';
/** The template of the last deploy. */
export const TEMPLATE = fileURLToPath(
  new URL('../../.serverless/cloudformation-template-update-stack.json', import.meta.url),
);
const ACCOUNT = '000000000000';

/** A resource in a template. */
export interface Described {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

/** Environment variables to reach the emulator. The AWS SDK reads them. */
export const EMULATOR = {
  AWS_ENDPOINT_URL: process.env['AWS_ENDPOINT_URL'] ?? '',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
};
// For the clients of this process
Object.assign(process.env, EMULATOR);

/** The system as `sls deploy` deploys it, on its own stage. */
export class Deployment {
  readonly stage = `test-${randomBytes(3).toString('hex')}`;
  readonly sqs = createSqsClient();
  readonly queueUrlPrefix = `${EMULATOR.AWS_ENDPOINT_URL}/${ACCOUNT}/${this.prefix}`;
  readonly queueUrls = new QueueUrls(this.queueUrlPrefix);
  readonly #args: readonly string[];
  readonly #cloudFormation = new CloudFormationClient();
  #resources: readonly StackResource[] = [];

  /**
   * @param args - arguments of every command, such as `--param=worker=none`
   * @param authentication - who may call the API. Default: everybody
   */
  constructor(args: readonly string[] = [], authentication: readonly string[] = ['--param=public=yes']) {
    // A REST API, because emulators lack HTTP APIs
    this.#args = [
      '--stage',
      this.stage,
      '--param=api=http',
      ...authentication,
      ...localParams(readParts('dev')),
      ...args,
    ];
  }

  /** The prefix of the names of its queues, tables and functions. */
  get prefix(): string {
    return `baton-${this.stage}-`;
  }

  /** Its API's URL, as the emulator serves it. */
  get url(): string {
    return `${EMULATOR.AWS_ENDPOINT_URL}/_aws/execute-api/${this.physicalId('ApiGatewayRestApi')}/${this.stage}`;
  }

  /** Deploys. Resolves to the output of Serverless. @throws Error with the output if it fails */
  async deploy(more: readonly string[] = []): Promise<string> {
    const output = await this.#serverless('deploy', more);
    const StackName = `baton-${this.stage}`;
    const { StackResources = [] } = await this.#cloudFormation.send(
      new DescribeStackResourcesCommand({ StackName }),
    );
    this.#resources = StackResources;
    return output;
  }

  /** Deploys only the code of one function. @throws Error with the output of Serverless if it fails */
  async deployFunction(name: string): Promise<string> {
    return this.#serverless('deploy', ['--force', '--function', name], 'function');
  }

  /** Removes the deployment. @throws Error with the output of Serverless if it fails */
  async remove(more: readonly string[] = []): Promise<string> {
    return this.#serverless('remove', more);
  }

  /** The resources of one type in the last deployed template, by logical id. */
  async described(type: string): Promise<[string, Described['Properties']][]> {
    const { Resources } = JSON.parse(await readFile(TEMPLATE, 'utf8')) as {
      Resources: Record<string, Described>;
    };
    return Object.entries(Resources)
      .filter(([, { Type }]) => Type === type)
      .map(([id, { Properties }]) => [id, Properties]);
  }

  /** The physical id of a resource: a queue's URL, or the name of a table, a role or a function. */
  physicalId(logicalId: string): string {
    const resource = this.#resources.find(({ LogicalResourceId }) => LogicalResourceId === logicalId);
    if (!resource) throw new Error(`the stack has no resource ${logicalId}`);
    return resource.PhysicalResourceId ?? '';
  }

  /** Resolves the references in a value of the template, as CloudFormation does. */
  filledIn(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((each) => this.filledIn(each));
    if (typeof value !== 'object' || value === null) return value;
    const { Ref: id, 'Fn::GetAtt': attribute, 'Fn::Sub': text } = value as Record<string, never>;
    if (id !== undefined) return this.#reference(id);
    if (attribute !== undefined) return this.#arn((attribute as string[])[0] ?? '');
    if (text !== undefined)
      return String(text).replaceAll(/\$\{([^}]+)\}/g, (_, name: string) =>
        name.endsWith('.Arn') ? this.#arn(name.slice(0, -'.Arn'.length)) : this.#reference(name),
      );
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, this.filledIn(each)]));
  }

  #reference(name: string): string {
    const known: Record<string, string> = {
      'AWS::Partition': 'aws',
      'AWS::Region': EMULATOR.AWS_REGION,
      'AWS::AccountId': ACCOUNT,
      'AWS::URLSuffix': 'amazonaws.com',
    };
    return known[name] ?? this.physicalId(name);
  }

  #arn(id: string): string {
    const name = this.physicalId(id).split('/').at(-1) ?? '';
    const within = `${EMULATOR.AWS_REGION}:${ACCOUNT}`;
    const resource = this.#resources.find(({ LogicalResourceId }) => LogicalResourceId === id);
    const type = resource?.ResourceType ?? '';
    switch (type) {
      case 'AWS::SQS::Queue':
        return `arn:aws:sqs:${within}:${name}`;
      case 'AWS::DynamoDB::Table':
        return `arn:aws:dynamodb:${within}:table/${name}`;
      case 'AWS::IAM::Role':
        return `arn:aws:iam::${ACCOUNT}:role/${name}`;
      case 'AWS::Logs::LogGroup':
        return `arn:aws:logs:${within}:log-group:${this.physicalId(id)}:*`;
      case 'AWS::Lambda::Function':
        return `arn:aws:lambda:${within}:function:${name}`;
      default:
        throw new Error(`${id} is ${type}; expected a type whose ARN is known`);
    }
  }

  async #serverless(command: string, more: readonly string[] = [], what?: string): Promise<string> {
    const environment = { ...EMULATOR, SLS_AWS_MONITORING_FREQUENCY: '250' };
    const program = new Program(SERVERLESS, environment, [
      command,
      ...(what ? [what] : []),
      ...this.#args,
      ...more,
    ]);
    if ((await program.ended()) !== 0) throw new Error(`sls ${command}:\n${program.output}`);
    return program.output;
  }
}
