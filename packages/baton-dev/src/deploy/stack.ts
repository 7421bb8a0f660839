// The stack on AWS.
import type { DescribedStack } from '../stack/described-stack.ts';
import { stagePrefixOf, WORKER } from '../stack/names.ts';
import type { Functions } from '../stack/part.ts';
import type { Resources } from '../stack/resources.ts';
import { StackError } from '../stack/stack-error.ts';
import { alarms } from './alarms.ts';
import { fargateWorker } from './fargate-worker.ts';
import { deployedFunctions, functionRoles, recursiveLoops } from './functions.ts';
import { type Extensions, gatewayOf } from './gateway.ts';
import type { Parameters } from './parameters.ts';
import { isDevelopment, protectedTables } from './protection.ts';
import { deadLetterQueues, type Output, queueOutputs, queuePolicies } from './queues.ts';
import { scheduleResources } from './schedules.ts';

/** The longest name of a Lambda function. */
const MAX_FUNCTION_NAME = 64;

/** Configures the stack. */
export interface StackOptions {
  readonly described: DescribedStack;
  readonly parameters: Parameters;
  readonly stage: string;
  /** The environment of all functions in serverless.yml. */
  readonly environment: Readonly<Record<string, unknown>>;
}

/** The stack, for serverless.yml. */
export interface Stack {
  readonly functions: Functions;
  readonly resources: {
    readonly Resources: Resources;
    readonly Outputs: Readonly<Record<string, Output>>;
    readonly extensions: Extensions;
  };
}

/**
 * Completes a described stack for AWS: adds a role for each function, alarms, schedules, the policies of queues, the API's
 * throttling and concurrency, the protection of tables, and the worker in its form.
 *
 * @throws StackError if an access or an event is invalid, or a name is too long
 */
export function compileStack(options: StackOptions): Stack {
  const { described, parameters, stage } = options;
  const { resources: own, contracts } = described;
  const functions = withoutWorker(described.functions, parameters.worker === 'lambda');
  checkNames(Object.keys(functions), stage);
  const gateway = gatewayOf(functions, parameters, stage);
  const isProtected = parameters.protect === undefined ? !isDevelopment(stage) : parameters.protect === 'yes';
  const Resources: Resources = {
    ...own,
    ...(isProtected && protectedTables(own)),
    ...deadLetterQueues(own, parameters.deadLetterRetentionDays),
    ...queuePolicies(own),
    ...functionRoles(functions, own, parameters),
    ...workerService(options),
    ...gateway.Resources,
    ...scheduleResources(contracts, stage),
    ...alarms(own, Object.keys(functions), parameters),
  };
  return {
    functions: deployedFunctions(functions, parameters, stage),
    resources: {
      Resources,
      Outputs: queueOutputs(own),
      extensions: { ...gateway.extensions, ...recursiveLoops(functions) },
    },
  };
}

/** Checks the names of functions, which are the longest in a stack. */
function checkNames(functionNames: readonly string[], stage: string): void {
  const names = functionNames.map((name) => stagePrefixOf(stage) + name);
  const long = names.find(({ length }) => length > MAX_FUNCTION_NAME);
  if (long === undefined) return;
  throw new StackError(
    `The function ${long} would have a name of ${long.length} characters: expected at most ${MAX_FUNCTION_NAME}, with a shorter name or stage`,
  );
}

function workerService({ described, parameters, environment, stage }: StackOptions): Resources {
  const { [WORKER]: worker } = described.functions;
  if (parameters.worker !== 'fargate' || !worker) return {};
  const { fargate, logRetentionDays } = parameters;
  return fargateWorker({
    worker,
    resources: described.resources,
    parameters: fargate,
    secrets: parameters.secrets,
    environment,
    logRetentionDays,
    stagePrefix: stagePrefixOf(stage),
  });
}

/** The functions without the worker's, if a worker process polls its queues. */
function withoutWorker(functions: Functions, isFunction: boolean): Functions {
  if (isFunction) return functions;
  const { [WORKER]: _worker, ...others } = functions;
  return others;
}
