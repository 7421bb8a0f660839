import type { TaskContract } from 'baton-tasks';
import { laneQueues, withLaneEvents } from 'baton-tasks/tooling';
import { alarms } from './alarms.ts';
import { fargateWorker } from './fargate-worker.ts';
import { deployedFunctions, functionRoles, type Functions, recursiveLoops } from './functions.ts';
import { type Extensions, gatewayOf } from './gateway.ts';
import type { Parameters } from './parameters.ts';
import { deadLetterQueues, queueOutputs } from './queues.ts';
import { scheduleResources } from './schedules.ts';
import { StackError } from './stack-error.ts';
import { ofType, QUEUE, type Resources } from './template.ts';

/** The function that the worker is where Lambda's event source polls its queues. */
const WORKER = 'worker';

/** How long the name of a Lambda function can be. */
const MAX_FUNCTION_NAME = 64;

/** What a functions.yml says. */
export interface Part {
  readonly functions?: Functions | null;
  readonly resources?: { readonly Resources?: Resources } | null;
}

/** What the stack is made of. */
export interface StackOptions {
  /** What every functions.yml says, and what all share. */
  readonly parts: readonly Part[];
  readonly parameters: Parameters;
  /** The contracts that have schedules, which AWS keeps, or lanes, whose queues follow from those of the parts. */
  readonly contracts: readonly TaskContract[];
  readonly stage: string;
  /** The environment that all functions have, as serverless.yml has it. */
  readonly environment: Readonly<Record<string, unknown>>;
}

/** The stack, as serverless.yml takes it. */
export interface Stack {
  readonly functions: Functions;
  readonly resources: {
    readonly Resources: Resources;
    readonly Outputs: Readonly<Record<string, unknown>>;
    readonly extensions: Extensions;
  };
}

/**
 * Makes one stack of what the parts say, and adds what follows from it: a role for each function, alarms, schedules,
 * queues and event sources of lanes, who may use which dead letter queue, the API's throttling, and the worker in its
 * form.
 *
 * @throws StackError where two parts have a function or a resource of one name, one cannot be understood, a name is too
 *   long, or contracts declare lanes that cannot be
 */
export function compileStack(options: StackOptions): Stack {
  const { parts, parameters, contracts, stage } = options;
  const own = withLanes(
    merged<Resources[string]>(
      'resource',
      parts.map(({ resources }) => resources?.Resources ?? {}),
    ),
    contracts,
    `baton-${stage}-`,
  );
  const described = consumingLanes(
    merged<Functions[string]>(
      'function',
      parts.map(({ functions }) => functions ?? {}),
    ),
    own,
  );
  const functions = withoutWorker(described, parameters.worker === 'lambda');
  checkNames(Object.keys(functions), stage);
  const gateway = gatewayOf(functions, parameters, stage);
  const Resources: Resources = {
    ...own,
    ...deadLetterQueues(own),
    ...functionRoles(functions, own),
    ...workerService(options, described, own),
    ...gateway.Resources,
    ...scheduleResources(contracts, stage),
    ...alarms(own, Object.keys(functions), parameters),
  };
  return {
    functions: deployedFunctions(functions, parameters),
    resources: {
      Resources,
      Outputs: queueOutputs(own),
      extensions: { ...gateway.extensions, ...recursiveLoops(functions) },
    },
  };
}

function withLanes(resources: Resources, contracts: readonly TaskContract[], stagePrefix: string): Resources {
  const names = new Set(ofType(resources, QUEUE).map(([, { Properties }]) => Properties['QueueName']));
  const lost = contracts.find(({ lanes, queue }) => lanes && !names.has(stagePrefix + queue));
  if (lost)
    throw new StackError(
      `The contract ${lost.name} has lanes on the queue ${lost.queue}: expected a queue ${stagePrefix}${lost.queue} in a functions.yml`,
    );
  try {
    return { ...resources, ...laneQueues(resources, contracts, stagePrefix) };
  } catch (error) {
    throw new StackError((error as Error).message);
  }
}

function consumingLanes(functions: Functions, resources: Resources): Functions {
  const entries = Object.entries(functions).map(([name, { events = [], ...members }]) => [
    name,
    { ...members, events: withLaneEvents(events, resources) },
  ]);
  return Object.fromEntries(entries) as Functions;
}

/** Those of functions are the longest that a stack has. */
function checkNames(functionNames: readonly string[], stage: string): void {
  const names = functionNames.map((name) => `baton-${stage}-${name}`);
  const long = names.find(({ length }) => length > MAX_FUNCTION_NAME);
  if (long === undefined) return;
  throw new StackError(
    `The function ${long} would have a name of ${long.length} characters: expected at most ${MAX_FUNCTION_NAME}, with a shorter name or stage`,
  );
}

function workerService(
  { parameters, environment, stage }: StackOptions,
  { [WORKER]: worker }: Functions,
  resources: Resources,
): Resources {
  if (parameters.worker !== 'fargate' || !worker) return {};
  const { fargate, logRetentionDays } = parameters;
  const stagePrefix = `baton-${stage}-`;
  return fargateWorker({
    worker,
    resources,
    parameters: fargate,
    environment,
    logRetentionDays,
    stagePrefix,
  });
}

/** Where a worker process polls its queues, there is no function for them. */
function withoutWorker(functions: Functions, isFunction: boolean): Functions {
  if (isFunction) return functions;
  const { [WORKER]: _worker, ...others } = functions;
  return others;
}

function merged<Member>(
  what: string,
  records: readonly Readonly<Record<string, Member>>[],
): Record<string, Member> {
  const names = records.flatMap((record) => Object.keys(record));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new StackError(`Two parts of the stack have a ${what} ${twice}`);
  return Object.assign({}, ...records) as Record<string, Member>;
}
