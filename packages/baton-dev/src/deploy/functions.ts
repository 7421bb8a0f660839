import { readAccess } from './access.ts';
import type { Parameters } from './parameters.ts';
import type { DescribedFunction, Functions } from '../stack/part.ts';
import { type SourceQueue, sourceQueues } from '../stack/queues.ts';
import { consumerStatements, logStatement, role } from './role.ts';
import { type Extensions, gatewayEvent } from './gateway.ts';
import { StackError } from '../stack/stack-error.ts';
import { arnOf, idOfArn, type Resource, type Resources } from '../stack/resources.ts';

const NAME = /^[a-z][A-Za-z0-9]*$/;

/** The functions as Serverless takes them: with their roles, without `access`, their events in the form of this API. */
export function deployedFunctions(functions: Functions, parameters: Parameters): Functions {
  const entries = Object.entries(functions).map(([name, { access: _access, events = [], ...members }]) => [
    name,
    {
      ...members,
      handler: members.handler,
      role: arnOf(roleId(name)),
      events: events.map((event) => gatewayEvent(event, parameters)),
    },
  ]);
  return Object.fromEntries(entries) as Functions;
}

/**
 * A role for each function.
 *
 * @throws StackError naming the function whose access or whose event cannot be understood
 */
export function functionRoles(functions: Functions, resources: Resources): Resources {
  const entries = Object.entries(functions).map(([name, { access, events = [] }]): [string, Resource] => {
    const statements = consumerStatements(
      {
        consumed: consumedQueues(name, events, resources),
        access: readAccess(name, access, resources),
        queueActions: ['sqs:GetQueueAttributes'],
      },
      resources,
    );
    const logs = logStatement(`${resourceId(name)}LogGroup`);
    return [roleId(name), role({ service: 'lambda.amazonaws.com', statements: [logs, ...statements] })];
  });
  return Object.fromEntries(entries);
}

/** The queues that a function's `sqs` events name. @throws StackError naming one that is no queue with dead letters */
export function consumedQueues(
  functionName: string,
  events: DescribedFunction['events'] = [],
  resources: Resources,
): SourceQueue[] {
  const sources = sourceQueues(resources);
  return events.flatMap(({ sqs }) => {
    if (sqs === undefined) return [];
    const id = idOfArn(sqs.arn);
    const source = sources.find((each) => each.id === id);
    if (source) return [source];
    throw new StackError(
      `An sqs event of the function ${functionName}: expected arn: !GetAtt, then a queue of this stack that has a RedrivePolicy`,
    );
  });
}

/**
 * Lets functions that consume queues send to them. Lambda counts the invocations that a message has led to, and stops
 * the 16th (AWS Lambda Developer Guide, "Use Lambda recursive loop detection to prevent infinite loops"). A chain is
 * longer, and so is the way of a task that waits for days in one copy after the other. `MAX_DEPTH` bounds both.
 */
export function recursiveLoops(functions: Functions): Extensions {
  const consumers = Object.entries(functions).filter(([, { events = [] }]) =>
    events.some(({ sqs }) => sqs !== undefined),
  );
  return Object.fromEntries(
    consumers.map(([name]) => [functionId(name), { Properties: { RecursiveLoop: 'Allow' } }]),
  );
}

/** The logical id of the function itself, as Serverless makes it of the name. */
export function functionId(name: string): string {
  return `${resourceId(name)}LambdaFunction`;
}

function roleId(name: string): string {
  return `${resourceId(name)}Role`;
}

/** @throws StackError where the name would be another one in the template */
function resourceId(name: string): string {
  if (!NAME.test(name))
    throw new StackError(
      `The function ${name}: expected a name of letters and digits, such as paymentsServiceApi`,
    );
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}
