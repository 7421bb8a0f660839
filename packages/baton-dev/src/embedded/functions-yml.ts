import { lanedContracts } from '@baton/common/contracts/lanes';
import type { TaskContract } from 'baton-tasks';
import { laneQueues, withLaneEvents } from 'baton-tasks/tooling';
import { readdirSync, readFileSync } from 'node:fs';
import { parse, type ScalarTag } from 'yaml';

const ROOT = new URL('../../../../', import.meta.url);

/** CloudFormation's short forms as its JSON has them, as far as a functions.yml uses them. */
const SHORT_FORMS: ScalarTag[] = [
  { tag: '!GetAtt', resolve: (text) => ({ 'Fn::GetAtt': text.split('.') }) },
  { tag: '!Ref', resolve: (text) => ({ Ref: text }) },
  { tag: '!Sub', resolve: (text) => ({ 'Fn::Sub': text }) },
];

/** The folders with a functions.yml: every service's and the worker's. */
export const parts = [
  ...readdirSync(new URL('functions', ROOT)).map((service) => `functions/${service}`),
  'worker',
];

/** A function as functions.yml has it. */
export interface DescribedFunction {
  readonly handler: string;
  readonly timeout?: number;
  readonly events: readonly { readonly sqs?: { readonly arn: unknown }; readonly httpApi?: unknown }[];
}

/** What a functions.yml says. */
export interface FunctionsYml {
  readonly functions: Record<string, DescribedFunction>;
  /** Not there where the service owns nothing. */
  readonly resources?: { readonly Resources: Record<string, unknown> };
}

/** The CloudFormation resources that no service owns alone, for one stage. */
export function sharedResources(stage: string): Record<string, unknown> {
  return readFunctionsYml('common/resources.yml', stage).resources?.Resources ?? {};
}

/**
 * The CloudFormation resources in the functions.yml of `folders`, for one stage, with the queues of lanes.
 *
 * @param contracts - those that have lanes; of queues that are not among the resources none is made
 */
export function servicesResources(
  folders: readonly string[],
  stage: string,
  contracts: readonly TaskContract[] = lanedContracts,
): Record<string, unknown> {
  const described = Object.assign(
    {},
    ...folders.map((part) => read(part, stage).resources?.Resources),
  ) as Record<string, unknown>;
  return { ...described, ...laneQueues(described, contracts, `baton-${stage}-`) };
}

/** The functions in the functions.yml of `folders`, for one stage, with the events of lanes. */
export function servicesFunctions(
  folders: readonly string[],
  stage: string,
): Record<string, DescribedFunction> {
  const described = Object.assign({}, ...folders.map((part) => read(part, stage).functions)) as Record<
    string,
    DescribedFunction
  >;
  const resources = servicesResources(parts, stage);
  const entries = Object.entries(described).map(([name, { events, ...members }]) => [
    name,
    { ...members, events: withLaneEvents(events, resources) },
  ]);
  return Object.fromEntries(entries) as Record<string, DescribedFunction>;
}

function read(part: string, stage: string): FunctionsYml {
  return readFunctionsYml(`${part}/functions.yml`, stage);
}

/** A functions.yml, or what all share, by its path from the root, for one stage. */
export function readFunctionsYml(file: string, stage: string): FunctionsYml {
  const text = readFileSync(new URL(file, ROOT), 'utf8').replaceAll('${sls:stage}', stage);
  return parse(text, { customTags: SHORT_FORMS }) as FunctionsYml;
}
