// The forms of the stack, for what compiles it without a deploy: `npm run package` and tests.
import type { Part } from '../stack/part.ts';
import { secretParametersOf } from './secrets.ts';

/** A form of the stack: its name, and the arguments of `sls package` and `sls deploy`. */
export interface Form {
  readonly name: string;
  readonly args: readonly string[];
}

/** The parameters of a deploy whose API needs a token. */
export const closed = { 'jwt-issuer': 'https://login.example.com', 'jwt-audience': 'baton' };

/** The forms that `npm run package` compiles. Each parameter that changes the template's structure is in one of them. */
export const FORMS: readonly Form[] = [
  {
    name: 'default',
    args: params({ ...closed, 'alarm-topic': 'arn:aws:sns:us-east-1:123456789012:alarms' }),
  },
  { name: 'rest', args: params({ ...closed, api: 'http', 'caller-limit': '1000' }) },
  { name: 'public', args: params({ public: 'yes' }) },
  {
    name: 'fargate',
    args: params({
      ...closed,
      worker: 'fargate',
      'worker-image': '123456789012.dkr.ecr.us-east-1.amazonaws.com/baton/worker:1.0.0',
      'worker-subnets': 'subnet-0123456789abcdef0,subnet-0123456789abcdef1',
      'worker-security-groups': 'sg-0123456789abcdef0',
      'signing-keys': 'arn:aws:secretsmanager:us-east-1:123456789012:secret:baton/signing-AbCdEf',
      signing: 'accept',
    }),
  },
  {
    name: 'protected no worker',
    args: params({ ...closed, worker: 'none', protect: 'yes', 'api-concurrency': '50' }),
  },
];

/**
 * The local values of the services' parameters, as arguments: a stack without a required one is refused. That of a secret is
 * the ARN of one that does not exist.
 */
export function localParams(parts: ReadonlyMap<string, Part>): string[] {
  const all = [...parts.values()].flatMap(({ parameters }) => Object.entries(parameters ?? {}));
  const local = all.flatMap(([name, parameter]) =>
    typeof parameter === 'object' ? [[name, parameter.local]] : [],
  );
  const secrets = secretParametersOf(parts.values());
  const values = local.map(([name = '', value]) => [name, secrets.includes(name) ? standIn(name) : value]);
  return params(Object.fromEntries(values) as Record<string, string>);
}

/** ARNs of secrets that do not exist for all that services declare, as arguments. */
export function secretParams(parts: ReadonlyMap<string, Part>): string[] {
  const declared = new Set([...parts.values()].flatMap(({ parameters }) => Object.keys(parameters ?? {})));
  const names = secretParametersOf(parts.values()).filter((name) => declared.has(name));
  return params(Object.fromEntries(names.map((name) => [name, standIn(name)])));
}

function standIn(secret: string): string {
  return `arn:aws:secretsmanager:us-east-1:123456789012:secret:${secret}-AbCdEf`;
}

/** Writes parameters as arguments of the command line. */
export function params(given: Readonly<Record<string, string>>): string[] {
  return Object.entries(given).map(([name, value]) => `--param=${name}=${value}`);
}
