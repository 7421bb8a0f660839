// The parameters of a deploy.
import { oneOf, wholeNumber } from 'baton-tasks/service';
import * as z from 'zod';
import { CPU_UNITS, memoriesOf } from './fargate-sizes.ts';
import type { Part } from '../stack/part.ts';
import { StackError } from '../stack/stack-error.ts';
import { printable } from '../terminal/printable.ts';
import { faultOfReference, secretParametersOf, type SecretReferences } from './secrets.ts';

const list = z
  .string()
  .transform((text) => text.split(',').map((item) => item.trim()))
  .pipe(z.array(z.string().min(1, { error: 'expected values separated by commas, none of them empty' })));
/** The possible retentions of CloudWatch Logs, in days (its API Reference, "PutRetentionPolicy"). */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
const arn = (service: string) =>
  z.string().regex(new RegExp(`^arn:aws[\\w-]*:${service}:[\\w-]+:\\d{12}:.+$`), {
    error: `expected an ARN of ${service}`,
  });

const LOOPBACK = /^http:\/\/127\.0\.0\.1(?::\d+)?(?:\/|$)/;
const PLAIN = /^http:/i;

const names = {
  api: oneOf(['httpApi', 'http'], 'httpApi'),
  'throttle-rate': wholeNumber(1, 10_000, 100),
  'throttle-burst': wholeNumber(1, 5000, 200),
  'caller-limit': wholeNumber(10, 2_000_000_000, 10).unwrap().optional(),
  'jwt-issuer': z
    .url({ protocol: /^https?$/, error: 'expected a URL such as https://login.example.com' })
    .optional(),
  'jwt-audience': list.optional(),
  // Without a value, the stage decides
  'api-concurrency': z
    .union([z.literal('none'), wholeNumber(1, 10_000, 50).unwrap()], {
      error: 'expected none, or a whole number from 1 to 10000',
    })
    .optional(),
  protect: oneOf(['yes', 'no'], 'no').unwrap().optional(),
  // The plugin of `sls remove` reads it
  remove: z.string().optional(),
  'dead-letter-retention-days': wholeNumber(1, 14, 14),
  public: oneOf(['no', 'yes'], 'no'),
  'alarm-topic': arn('sns').optional(),
  'alarm-age-seconds': wholeNumber(60, 1_209_600, 900),
  'log-retention-days': wholeNumber(1, 3653, 30).refine((days) => RETENTION_DAYS.includes(days), {
    error: `expected one of ${RETENTION_DAYS.join(', ')}`,
  }),
  // serverless.yml reads three of these four
  revision: z.string().max(128, { error: 'expected at most 128 characters' }).optional(),
  'unknown-task-patience-seconds': wholeNumber(0, 432_000, 21_600),
  'signing-keys': z.string().optional(),
  signing: oneOf(['require', 'accept'], 'require').unwrap().optional(),
  worker: oneOf(['lambda', 'fargate', 'none'], 'lambda'),
  'worker-image': z.string().optional(),
  'worker-subnets': list.optional(),
  'worker-security-groups': list.optional(),
  'worker-public-ip': oneOf(['no', 'yes'], 'no'),
  'worker-cluster': z.string().optional(),
  'worker-architecture': oneOf(['arm64', 'x86_64'], 'arm64'),
  'worker-cpu': wholeNumber(256, 16_384, 256),
  'worker-memory': wholeNumber(512, 122_880, 512),
  'worker-slots': wholeNumber(1, 1000, 10),
  'worker-min': wholeNumber(1, 1000, 1),
  'worker-max': wholeNumber(1, 1000, 10),
  'worker-task-ms': wholeNumber(1, 3_600_000, 1000),
  'worker-backlog-seconds': wholeNumber(1, 86_400, 60),
};

/** The parameters of every stack, for `sls deploy --param="name=value"`. docs/deploy.md explains each. */
const OWN_NAMES: readonly string[] = Object.keys(names);

const USED = /\$\{param:([^,}]+)/g;

/**
 * The names of a deploy's parameters: those of every stack, and those that services declare.
 *
 * @param parts - the contents of each functions.yml, by its folder
 * @throws StackError that names a functions.yml which declares another's parameter, or uses an undeclared one
 */
export function parameterNames(parts: ReadonlyMap<string, Part>): string[] {
  const by = new Map(OWN_NAMES.map((name) => [name, 'every stack']));
  for (const [folder, part] of parts) {
    const file = `${folder}/functions.yml`;
    const declared = Object.keys(part.parameters ?? {});
    for (const name of declared) {
      const other = by.get(name);
      if (other !== undefined)
        throw new StackError(`${file}: the parameter ${name} belongs to ${other}: expected another name`);
      by.set(name, file);
    }
    const used = [...JSON.stringify(part).matchAll(USED)].map(([, name = '']) => name);
    for (const name of [...used, ...secretParametersOf([part])])
      if (!declared.includes(name) && !OWN_NAMES.includes(name))
        throw new StackError(
          `${file} uses the parameter ${name}: expected a line for it under "parameters:"`,
        );
  }
  return [...by.keys()];
}

/** The parameters that `worker=fargate` requires. */
const NEEDED = ['worker-image', 'worker-subnets', 'worker-security-groups'] as const;

const parametersSchema = z
  .object(names)
  .superRefine((given, context) => {
    const refuse = (name: keyof typeof names, message: string): void =>
      context.addIssue({ code: 'custom', path: [name], message });
    const together = ['jwt-issuer', 'jwt-audience'] as const;
    const missing = together.filter((name) => given[name] === undefined);
    if (missing.length === 1)
      refuse(
        missing[0] ?? 'jwt-issuer',
        `expected a value, because ${together.join(' and ')} belong together`,
      );
    const issuer = given['jwt-issuer'];
    if (issuer !== undefined && PLAIN.test(issuer) && (given.api !== 'http' || !LOOPBACK.test(issuer)))
      refuse(
        'jwt-issuer',
        'expected https. Only a REST API (api=http) in an emulator takes one of this machine',
      );
    if (given.public === 'yes' && issuer !== undefined)
      refuse('public', 'expected no, because jwt-issuer says who may call the API');
    if (given['caller-limit'] !== undefined && given.api !== 'http')
      refuse(
        'caller-limit',
        'expected api=http beside it, because AWS WAF, which counts the requests of a caller, protects no HTTP API',
      );
    if (given.signing !== undefined && given['signing-keys'] === undefined)
      refuse('signing-keys', `expected a value, because signing is ${given.signing}`);
    if (given['worker-min'] > given['worker-max'])
      refuse('worker-min', `expected at most worker-max, which is ${given['worker-max']}`);
    if (given.worker !== 'fargate') return;
    for (const name of NEEDED)
      if (given[name] === undefined) refuse(name, 'expected a value, because worker is fargate');
    const { 'worker-cpu': cpu, 'worker-memory': memory } = given;
    const memories = memoriesOf(cpu);
    if (memories.length === 0) refuse('worker-cpu', `expected one of ${CPU_UNITS.join(', ')}`);
    else if (!memories.includes(memory))
      refuse('worker-memory', `expected one of ${memories.join(', ')}, because worker-cpu is ${cpu}`);
  })
  .transform((given) => ({
    api: given.api,
    throttleRate: given['throttle-rate'],
    throttleBurst: given['throttle-burst'],
    callerLimit: given['caller-limit'],
    jwt:
      given['jwt-issuer'] === undefined
        ? undefined
        : { issuer: given['jwt-issuer'], audience: given['jwt-audience'] ?? [] },
    apiConcurrency: given['api-concurrency'],
    protect: given.protect,
    deadLetterRetentionDays: given['dead-letter-retention-days'],
    isPublic: given.public === 'yes',
    alarmTopic: given['alarm-topic'],
    alarmAgeSeconds: given['alarm-age-seconds'],
    logRetentionDays: given['log-retention-days'],
    worker: given.worker,
    fargate: {
      image: given['worker-image'] ?? '',
      subnets: given['worker-subnets'] ?? [],
      securityGroups: given['worker-security-groups'] ?? [],
      publicIp: given['worker-public-ip'] === 'yes',
      cluster: given['worker-cluster'],
      architecture: given['worker-architecture'],
      cpu: given['worker-cpu'],
      memoryMb: given['worker-memory'],
      slots: given['worker-slots'],
      least: given['worker-min'],
      most: given['worker-max'],
      taskMs: given['worker-task-ms'],
      backlogSeconds: given['worker-backlog-seconds'],
    },
  }));

/** The checked parameters of a deploy, with defaults, and the references to secrets by their parameters. */
export type Parameters = z.output<typeof parametersSchema> & { readonly secrets: SecretReferences };

/** The parameters of a worker on Fargate. */
export type FargateParameters = Parameters['fargate'];

/** A URL with a password somewhere in a text, or a reference to a secret that CloudFormation would resolve. */
const CLEAR =
  /[a-z][a-z0-9+.-]{0,20}:\/\/[^/?#@\s]{0,200}:[^\s]{0,500}@|\{\{\s*resolve\s*:\s*(?:secretsmanager|ssm-secure)\s*:/i;

/** Whether a text holds a password. A parser of URLs forgives more than the pattern, such as one slash in place of two. */
function holdsPassword(text: string): boolean {
  return CLEAR.test(text) || Boolean(URL.parse(text)?.password);
}

/** A parameter from Serverless. */
export type Given = string | number | boolean | null | undefined;

/**
 * Reads the parameters of a deploy. An empty one counts as missing.
 *
 * @param known - the names of its parameters. Default: those of every stack
 * @param secrets - the names of those that hold references to secrets. Default: those of every stack
 * @throws StackError with a line for each missing, wrong or unknown parameter
 */
export function readParameters(
  given: Readonly<Record<string, Given>>,
  known: readonly string[] = OWN_NAMES,
  secrets: readonly string[] = secretParametersOf([]),
): Parameters {
  const texts = Object.entries(given).map(([name, value]) => [name, String(value ?? '')]);
  const parsed = parametersSchema.safeParse(Object.fromEntries(texts.filter(([, text]) => text !== '')));
  const unknown = Object.keys(given)
    .filter((name) => !known.includes(name))
    .map((name) => `  ${name}: unknown parameter, expected one of ${known.join(', ')}`);
  // Serverless puts the text into the template as it is, so it cannot be trimmed here
  const unclean = texts
    .filter(([, text = '']) => text !== text.trim() || text !== printable(text))
    .map(([name]) => `  ${name}: expected no blanks at its ends, and no control characters`);
  const references = texts.filter(([name = '', text]) => secrets.includes(name) && text !== '');
  const wrongReferences = references.flatMap(([name, text = '']) => {
    const fault = faultOfReference(text);
    return fault === undefined ? [] : [`  ${name}: ${fault}`];
  });
  // It would stand in the template, in the configuration of functions and in the shell's history
  const clear = texts
    .filter(([name = '', text = '']) => !secrets.includes(name) && holdsPassword(text))
    .map(
      ([name]) =>
        `  ${name}: would put a password into the configuration of functions, expected a parameter that holds the ARN of a secret (docs/deploy.md#secrets)`,
    );
  if (parsed.success && [...unknown, ...unclean, ...clear, ...wrongReferences].length === 0)
    return { ...parsed.data, secrets: Object.fromEntries(references) as SecretReferences };
  const wrong = (parsed.error?.issues ?? []).map(({ path, message }) => `  ${String(path[0])}: ${message}`);
  throw new StackError(
    `The deploy has wrong parameters (--param="name=value"):\n${[...unknown, ...unclean, ...clear, ...wrongReferences, ...new Set(wrong)].join('\n')}`,
  );
}
