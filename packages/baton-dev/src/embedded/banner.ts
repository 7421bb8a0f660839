import { styleText } from 'node:util';

/** What a newcomer wants to know once everything runs. */
export interface BannerFacts {
  readonly http: string;
  readonly prefixes: readonly string[];
  readonly sqs: string;
  readonly dynamoDb: string;
  readonly health: string;
  /** Queues by name, each with who runs its tasks. */
  readonly queues: readonly { readonly name: string; readonly runs: string }[];
  readonly startedInMs: number;
}

/** The text that says what runs where, and one request to try. Colours only where the terminal has them. */
export function banner(facts: BannerFacts): string {
  const width = Math.max(...facts.queues.map(({ name }) => name.length));
  const rows = [
    row('API', facts.prefixes.map((prefix) => facts.http + prefix).join('  ')),
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
    '  Try this in a second terminal:',
    '',
    curl(facts.http),
    '',
    '',
  ].join('\n');
}

/** A request that posts an order, for a POSIX shell and for Windows's alike. */
export function curl(http: string): string {
  const order = {
    customerId: 'c-1',
    customerEmail: 'customer@example.com',
    items: [{ productId: 'p-1', quantity: 2 }],
  };
  const body = JSON.stringify({ ...order, totalAmount: 4200, currency: 'EUR' }).replaceAll('"', '\\"');
  return `  curl -i ${http}/orders -H "content-type: application/json" -d "${body}"`;
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
