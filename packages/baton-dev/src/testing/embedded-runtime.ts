// The embedded runtime as a process, for tests.
import { randomBytes } from 'node:crypto';
import { Program } from './program.ts';

const SERVERLESS = 'node_modules/serverless/bin/serverless.js';

/** The line of the embedded runtime once everything runs. */
export const READY = 'Ctrl-C stops it';

/**
 * Starts `serverless offline` on the SQS and DynamoDB that this process's environment names, if it does.
 *
 * @param environment - with ports of its own, as `freePorts` gives them
 * @param options - of the command line
 * @param stage - default: a stage of its own
 */
export function startRuntime(
  environment: Readonly<Record<string, string>>,
  options: readonly string[] = [],
  stage = `test-${randomBytes(4).toString('hex')}`,
): Program {
  const given = ['AWS_ENDPOINT_URL_SQS', 'AWS_ENDPOINT_URL_DYNAMODB', 'AWS_REGION'].flatMap((name) => {
    const value = process.env[name];
    return value ? [[name, value]] : [];
  });
  return new Program(SERVERLESS, { ...Object.fromEntries(given), ...environment }, [
    'offline',
    '--stage',
    stage,
    ...options,
  ]);
}

/** An answer of a running system. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** Sends a request to a system at `url`; a body that is no text goes as JSON. */
export async function ask(
  url: string,
  [method, path]: readonly [method: string, path: string],
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url + path, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: text }),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}
