// The banner of the embedded runtime.
import { styleText } from 'node:util';
import type { LocalAccess } from './access.ts';
import type { ExampleRequest } from '../stack/part.ts';

/** The contents of the banner. */
export interface BannerFacts {
  readonly http: string;
  readonly prefixes: readonly string[];
  readonly sqs: string;
  readonly dynamoDb: string;
  readonly health: string;
  /** Queues by name, each with the worker or function that runs its tasks. */
  readonly queues: readonly { readonly name: string; readonly runs: string }[];
  /** Who may call the API, and the tokens for it. */
  readonly access: Pick<LocalAccess, 'description' | 'tokens'>;
  /** Requests to try. */
  readonly examples: readonly ExampleRequest[];
  readonly startedInMs: number;
}

/** Writes the banner: what runs where, and which requests to try. Uses colours if the terminal has them. */
export function banner(facts: BannerFacts): string {
  const width = Math.max(...facts.queues.map(({ name }) => name.length));
  const rows = [
    row('API', facts.prefixes.map((prefix) => facts.http + prefix).join('  ')),
    row('Access', facts.access.description),
    ...facts.access.tokens.map(({ name, token }) => row('', `${name}  ${token}`)),
    row('SQS', facts.sqs),
    row('DynamoDB', facts.dynamoDb),
    row('Worker', facts.health),
    row(
      'Queues',
      facts.queues.map(({ name, runs }) => `${name.padEnd(width)}  ${dim(runs)}`).join(`\n${' '.repeat(12)}`),
    ),
  ];
  return [
    '',
    `  ${bold('Baton')} runs ${dim(`(${(facts.startedInMs / 1000).toFixed(1)} s; Ctrl-C stops it)`)}`,
    '',
    ...rows,
    '',
    ...(facts.examples.length > 0 ? ['  Try this in a second terminal:', ''] : []),
    ...facts.examples.flatMap((example) => [
      `  ${curlOf(facts.http, example, facts.access.tokens[0]?.token)}`,
      '',
    ]),
    '',
  ].join('\n');
}

/**
 * A request as a command, for a POSIX shell and for Windows's.
 *
 * @param token - sent with it
 */
export function curlOf(http: string, { request, body }: ExampleRequest, token?: string): string {
  const [method, path = '/'] = request.split(' ');
  const json = JSON.stringify(body)?.replaceAll('"', '\\"');
  // curl itself says GET, and POST when there is a body
  const how = method === (json === undefined ? 'GET' : 'POST') ? '' : ` -X ${method}`;
  const data = json === undefined ? '' : ` -H "content-type: application/json" -d "${json}"`;
  const authorization = token === undefined ? '' : ` -H "authorization: Bearer ${token}"`;
  return `curl -i${how} ${http}${path}${authorization}${data}`;
}

function row(name: string, value: string): string {
  return `  ${bold(name.padEnd(8))}  ${value}`;
}

function bold(text: string): string {
  return styleText('bold', text, { stream: process.stdout });
}

function dim(text: string): string {
  return styleText('dim', text, { stream: process.stdout });
}
