// Serves functions by Lambda's Invoke API.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from 'aws-lambda';
import { v7 as uuidv7 } from 'uuid';
import type { Logger } from '../telemetry/logger.ts';
import { readThrown } from '../telemetry/thrown.ts';
import { within } from '../time/within.ts';
import { type Address, type ConnectionTimeouts, listenAt, readBody, type RunningServer } from './listener.ts';

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

/** The second argument of a function. */
export type InvocationContext = Pick<Context, 'awsRequestId' | 'functionName' | 'getRemainingTimeInMillis'>;

/** Functions by their names. */
export type Functions = Readonly<
  Record<string, (event: never, context: InvocationContext) => Promise<unknown>>
>;

/** Configures a server of functions. */
export interface FunctionServerOptions extends Address, ConnectionTimeouts {
  readonly functions: Functions;
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
  const { logger } = options;
  return listenAt(options, (request, response) => {
    const requestId = uuidv7();
    return answer(request, requestId, options)
      .catch((error: unknown) => {
        logger.info({ requestId, error }, 'invocation could not be read');
        return refused(400, 'InvalidRequestContentException', 'The request could not be read');
      })
      .then((answered) => writeInvokeAnswer(response, requestId, answered));
  });
}

/** The name of the function that a request invokes. Empty if it is not a request of Invoke. */
export function functionNameOf({ method, url = '' }: IncomingMessage): string {
  const [, name = ''] = (method === 'POST' && INVOCATION.exec(url)) || [];
  return name;
}

async function answer(
  request: IncomingMessage,
  requestId: string,
  { functions, logger }: FunctionServerOptions,
): Promise<InvokeAnswer> {
  const name = functionNameOf(request);
  if (!Object.hasOwn(functions, name))
    return refused(404, 'ResourceNotFoundException', `Function not found: ${name}`);
  const endsAtMs = performance.now() + timeLeftMs(request);
  const payload = await readBody(request, (bytes) => bytes <= MAX_PAYLOAD_BYTES);
  if (!payload)
    return refused(
      413,
      'RequestTooLargeException',
      `The payload is too large: expected at most ${MAX_PAYLOAD_BYTES} bytes`,
    );
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
  const headers = { 'x-amzn-errortype': type, ...(status === 413 && { connection: 'close' }) };
  return { status, body: { Type: 'User', Message: message }, headers };
}

/** Writes an answer of Invoke. */
export function writeInvokeAnswer(
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
