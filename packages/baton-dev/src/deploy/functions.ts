// The functions of the stack on AWS, with their roles.
import { readAccess } from './access.ts';
import type { Parameters } from './parameters.ts';
import type { DescribedFunction, Functions } from '../stack/part.ts';
import { type SourceQueue, sourceQueues } from '../stack/queues.ts';
import { isDevelopment } from './protection.ts';
import { consumerStatements, logStatement, role } from './role.ts';
import { secretEnvironment, secretsOf, secretStatements } from './secrets.ts';
import { type Extensions, gatewayEvents } from './gateway.ts';
import { StackError } from '../stack/stack-error.ts';
import { arnOf, idOfArn, type Resource, type Resources } from '../stack/resources.ts';

const NAME = /^[a-z][A-Za-z0-9]*$/;

/** The concurrency of each API's function on a stage that is not of development. */
const API_CONCURRENCY = 50;

/** The functions for Serverless: with their roles, without `access`, and with events in the form of this API. */
export function deployedFunctions(functions: Functions, parameters: Parameters, stage: string): Functions {
  const { apiConcurrency = isDevelopment(stage) ? 'none' : API_CONCURRENCY } = parameters;
  const entries = Object.entries(functions).map(([name, { access, events = [], ...members }]) => [
    name,
    {
      ...members,
      handler: members.handler,
      environment: {
        ...members.environment,
        ...authenticationOf(events, parameters),
        ...secretEnvironment(secretsOf(access), parameters.secrets),
      },
      role: arnOf(roleId(name)),
      // So that a flood of requests leaves concurrency of the account to the functions that run tasks
      ...(apiConcurrency !== 'none' && servesApi(events) && { reservedConcurrency: apiConcurrency }),
      events: events.flatMap((event) => gatewayEvents(event, parameters)),
    },
  ]);
  return Object.fromEntries(entries) as Functions;
}

function servesApi(events: DescribedFunction['events'] = []): boolean {
  return events.some(({ httpApi }) => httpApi !== undefined);
}

/** The variables with which an API checks its callers. A function without routes needs none. */
function authenticationOf(
  events: DescribedFunction['events'] = [],
  { jwt, isPublic }: Parameters,
): Readonly<Record<string, string>> {
  if (!servesApi(events)) return {};
  // Empty: npm start takes the user's own, and a deploy is refused
  if (!jwt) return { AUTHENTICATION: isPublic ? 'none' : '' };
  return { AUTHENTICATION: 'jwt', JWT_ISSUER: jwt.issuer, JWT_AUDIENCE: jwt.audience.join(',') };
}

/**
 * Makes a role for each function.
 *
 * @throws StackError that names a function with an invalid access or event
 */
export function functionRoles(
  functions: Functions,
  resources: Resources,
  { secrets }: Pick<Parameters, 'secrets'>,
): Resources {
  const entries = Object.entries(functions).map(([name, { access, events = [] }]): [string, Resource] => {
    const read = readAccess(name, access, resources);
    const consumed = consumedQueues(name, events, resources);
    const statements = [
      ...consumerStatements({ consumed, access: read, queueActions: ['sqs:GetQueueAttributes'] }, resources),
      ...secretStatements(secretsOf(access), secrets),
    ];
    const logs = logStatement(`${resourceId(name)}LogGroup`);
    return [roleId(name), role({ service: 'lambda.amazonaws.com', statements: [logs, ...statements] })];
  });
  return Object.fromEntries(entries);
}

/** The queues of a function's `sqs` events. @throws StackError that names one without a dead-letter queue */
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
 * Lets functions send to the queues that they consume. Otherwise Lambda would stop the 16th invocation in a loop (AWS Lambda
 * Developer Guide, "Use Lambda recursive loop detection to prevent infinite loops"). A chain may be longer, and so may a
 * series of copies of a task that waits for days. `MAX_DEPTH` limits chains.
 */
export function recursiveLoops(functions: Functions): Extensions {
  const consumers = Object.entries(functions).filter(([, { events = [] }]) =>
    events.some(({ sqs }) => sqs !== undefined),
  );
  return Object.fromEntries(
    consumers.map(([name]) => [functionId(name), { Properties: { RecursiveLoop: 'Allow' } }]),
  );
}

/** The logical id that Serverless gives a function. */
export function functionId(name: string): string {
  return `${resourceId(name)}LambdaFunction`;
}

function roleId(name: string): string {
  return `${resourceId(name)}Role`;
}

/** The start of a function's logical ids. @throws StackError if its name has other characters than letters and digits */
function resourceId(name: string): string {
  if (!NAME.test(name))
    throw new StackError(
      `The function ${name}: expected a name of letters and digits, such as paymentsServiceApi`,
    );
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}
