// Serves functions by Lambda's Invoke API.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from 'aws-lambda';
import { v7 as uuidv7 } from 'uuid';
import type { Logger } from '../telemetry/logger.ts';
import { isInstance, readThrown } from '../telemetry/thrown.ts';
import { within } from '../time/within.ts';
import { hasToken } from './functions-token.ts';
import {
  type Address,
  type Answering,
  type ConnectionTimeouts,
  type Incoming,
  listenAt,
  type RunningServer,
} from './listener.ts';
import { Problem } from './problem.ts';

/** The path of Invoke. A function's name has these characters (AWS: "CreateFunction"). */
const INVOCATION = /^\/2015-03-31\/functions\/([\w-]{1,140})\/invocations$/;
/** The header in which Lambda's runtime API gives a function the end of its time (AWS: "Using the Lambda runtime API"). */
export const DEADLINE_HEADER = 'lambda-runtime-deadline-ms';
/** The time limit of an invocation without a deadline. */
const DEFAULT_TIMEOUT_MS = 30_000;
/** The longest time limit of a function (AWS: "Lambda quotas"). A timer that is set for far longer fires at once. */
const MAX_TIMEOUT_MS = 900_000;
/** The largest payload of a synchronous invocation (AWS: "Lambda quotas"). */
const MAX_PAYLOAD_BYTES = 6_291_556;
/** One caller gets half: as many as an account of Lambda runs at one time (AWS: "Lambda quotas"). */
export const MAX_INVOCATIONS = 2000;

/** The second argument of a function. */
export type InvocationContext = Pick<Context, 'awsRequestId' | 'functionName' | 'getRemainingTimeInMillis'>;

/** Functions by their names. */
export type Functions = Readonly<
  Record<string, (event: never, context: InvocationContext) => Promise<unknown>>
>;

/** Configures a server of functions. */
export interface FunctionServerOptions extends Address, ConnectionTimeouts {
  readonly functions: Functions;
  /** The secret that callers give in the header `x-functions-token`. Without it they run nothing. */
  readonly token: string;
  readonly logger: Logger;
}

/** An answer of Invoke. */
export interface InvokeAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Serves functions by Lambda's Invoke (AWS: "Invoke", RequestResponse), so that a container runs what Lambda runs on AWS.
 * If a function throws or does not end in time, the answer is 200 with `X-Amz-Function-Error`, as from Lambda. Unlike
 * Lambda, the server does not end such a function. When it closes, it still answers the invocations under way.
 *
 * @throws Error if the port is taken
 */
export function serveFunctions(options: FunctionServerOptions): Promise<RunningServer> {
  return listenAt(
    { maxUnderWay: MAX_INVOCATIONS, ...options },
    invocationsOf(options, (incoming, requestId) => answer(incoming, requestId, options)),
  );
}

/** Makes the answers of a server of invocations: problems in Lambda's form. Refuses callers without the secret first. */
export function invocationsOf(
  { logger, token }: Pick<FunctionServerOptions, 'logger' | 'token'>,
  answering: (incoming: Incoming, requestId: string) => Promise<InvokeAnswer | undefined>,
): Answering {
  return {
    answer: (incoming) => {
      const requestId = uuidv7();
      const answered = hasToken(incoming.request, token)
        ? answering(incoming, requestId)
        : Promise.resolve(forbidden(incoming.request));
      return answered
        .catch((error: unknown) => {
          logger.info({ requestId, error }, 'invocation could not be read');
          return refusalOf(error);
        })
        .then((result) => result && writeInvokeAnswer(incoming.response, requestId, result));
    },
    refuse: (response, problem) => writeInvokeAnswer(response, uuidv7(), refusalOf(problem)),
  };
}

/** The name of the function that a request invokes. Empty if it is not a request of Invoke. */
export function functionNameOf({ method, url = '' }: IncomingMessage): string {
  const [, name = ''] = (method === 'POST' && INVOCATION.exec(url)) || [];
  return name;
}

async function answer(
  { request, body }: Incoming,
  requestId: string,
  { functions, logger }: FunctionServerOptions,
): Promise<InvokeAnswer> {
  const name = functionNameOf(request);
  if (!Object.hasOwn(functions, name))
    return refused(404, 'ResourceNotFoundException', `Function not found: ${name}`);
  const endsAtMs = performance.now() + timeLeftMs(request);
  const payload = await body(MAX_PAYLOAD_BYTES);
  let event: unknown;
  try {
    event = JSON.parse(payload.toString() || 'null');
  } catch {
    return refused(400, 'InvalidRequestContentException', 'Could not parse request body into json');
  }
  const context: InvocationContext = {
    awsRequestId: requestId,
    functionName: name,
    getRemainingTimeInMillis: () => Math.round(endsAtMs - performance.now()),
  };
  try {
    const running = (functions[name] as Functions[string])(event as never, context);
    const result = await within(endsAtMs - performance.now(), running, notInTime);
    return { status: 200, body: result ?? null };
  } catch (error) {
    logger.error({ requestId, function: name, error }, 'function failed');
    return failed(error);
  }
}

/** The time that is left until the deadline. From now on the monotonic clock counts, in case the wall clock is set. */
function timeLeftMs({ headers }: IncomingMessage): number {
  const deadlineMs = Number(headers[DEADLINE_HEADER]);
  return Math.min(deadlineMs ? deadlineMs - Date.now() : DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS);
}

function notInTime(): never {
  throw new Error('The function did not end before its deadline');
}

/** The answer for a function that failed, in Lambda's form. Without the stack, which is in the log. */
function failed(error: unknown): InvokeAnswer {
  const { name: errorType, message: errorMessage } = readThrown(error);
  return {
    status: 200,
    body: { errorType, errorMessage },
    headers: { 'x-amz-function-error': 'Unhandled' },
  };
}

/** The answer for a refused request, in Lambda's form. The AWS SDK makes an exception of the type from it. */
export function refused(status: number, type: string, message: string): InvokeAnswer {
  return { status, body: { Type: 'User', Message: message }, headers: { 'x-amzn-errortype': type } };
}

/** The answer for a caller without the secret. If its request has a body, the connection closes, and nothing reads it. */
function forbidden({ headers }: IncomingMessage): InvokeAnswer {
  const refusal = refused(403, 'AccessDeniedException', 'The header x-functions-token is missing or wrong');
  const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  return { ...refusal, headers: { ...refusal.headers, ...(hasBody && { connection: 'close' }) } };
}

/** The answer for an error before the function began. A server without room is a throttled function: callers try again. */
function refusalOf(error: unknown): InvokeAnswer {
  if (!isInstance(error, Problem))
    return refused(400, 'InvalidRequestContentException', 'The request could not be read');
  const { status, details, message } = error;
  const [answered, type] = LAMBDA_ERRORS[status] ?? [400, 'InvalidRequestContentException'];
  const refusal = refused(answered, type, message);
  return { ...refusal, headers: { ...refusal.headers, ...details.headers } };
}

/** The statuses and errors of Lambda, by the status of the problem. */
const LAMBDA_ERRORS: Readonly<Record<number, readonly [number, string]>> = {
  413: [413, 'RequestTooLargeException'],
  503: [429, 'TooManyRequestsException'],
};

/** Writes an answer of Invoke. */
function writeInvokeAnswer(
  response: ServerResponse,
  requestId: string,
  { status, body, headers }: InvokeAnswer,
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'x-amzn-requestid': requestId,
    'x-amz-executed-version': '$LATEST',
    ...headers,
  });
  response.end(text);
}
