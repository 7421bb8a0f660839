/** A form of the stack: its name, and the arguments of `sls package` and `sls deploy`. */
export interface Form {
  readonly name: string;
  readonly args: readonly string[];
}

/** The forms that `npm run package` compiles. Each parameter that changes the template's structure is in one of them. */
export const FORMS: readonly Form[] = [
  { name: 'default', args: [] },
  { name: 'rest', args: params({ api: 'http' }) },
  {
    name: 'jwt',
    args: params({
      'jwt-issuer': 'https://login.example.com',
      'jwt-audience': 'baton',
      'alarm-topic': 'arn:aws:sns:us-east-1:123456789012:alarms',
    }),
  },
  {
    name: 'fargate',
    args: params({
      worker: 'fargate',
      'worker-image': '123456789012.dkr.ecr.us-east-1.amazonaws.com/baton/worker:1.0.0',
      'worker-subnets': 'subnet-0123456789abcdef0,subnet-0123456789abcdef1',
      'worker-security-groups': 'sg-0123456789abcdef0',
    }),
  },
  { name: 'protected no worker', args: params({ worker: 'none', protect: 'yes', 'api-concurrency': '50' }) },
];

/** Writes parameters as arguments of the command line. */
export function params(given: Readonly<Record<string, string>>): string[] {
  return Object.entries(given).map(([name, value]) => `--param=${name}=${value}`);
}
