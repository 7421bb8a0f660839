// The variables of secrets: each secret stands in the environment, in a file, or in Secrets Manager.
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { KeptSecret, type Secret } from './secret.ts';
import {
  readSecret,
  SecretError,
  type SecretReference,
  secretReference,
  type SecretsManagerOptions,
} from './secrets-manager.ts';

/** The secrets of a schema. One that may be missing is undefined if it is. */
export type Secrets<Schema extends z.ZodObject> = {
  readonly [Name in keyof z.output<Schema>]: undefined extends z.output<Schema>[Name]
    ? Secret<Exclude<z.output<Schema>[Name], undefined>> | undefined
    : Secret<z.output<Schema>[Name]>;
};

/** Makes the secrets that the environment describes. */
type Opening<Schema extends z.ZodObject> = (options: SecretsManagerOptions) => Secrets<Schema>;

/**
 * The schema of the variables of some secrets: of each NAME either NAME itself, NAME_FILE, the path of a file that holds
 * it, or NAME_SECRET, its ARN in Secrets Manager. What is on this machine is checked at once.
 *
 * @param schema - what each secret has to be, by its name
 */
export function secretVariables<Schema extends z.ZodObject>(schema: Schema): z.ZodType<Opening<Schema>> {
  const secrets = Object.entries(schema.shape);
  const fields = secrets.flatMap(([name, each]) => [
    [name, each.optional()],
    [fileOf(name), z.string().superRefine(checkFile(each)).optional()],
    [referenceOf(name), secretReference.optional()],
  ]);
  return z
    .object(Object.fromEntries(fields) as Record<string, z.ZodType>)
    .superRefine((given, context) => {
      for (const [name, each] of secrets) checkPlaces(name, each, given, context);
    })
    .transform((given) => (options: SecretsManagerOptions) => {
      const made = secrets.map(([name, each]) => [name, secretOf(name, each, given, options)]);
      return Object.fromEntries(made) as Secrets<Schema>;
    });
}

const fileOf = (name: string): string => `${name}_FILE`;
const referenceOf = (name: string): string => `${name}_SECRET`;
type Given = Readonly<Record<string, unknown>>;

/** Adds an issue if a secret that is required is nowhere, or one is in two places. */
function checkPlaces(name: string, schema: z.ZodType, given: Given, context: z.RefinementCtx): void {
  const set = [name, fileOf(name), referenceOf(name)].filter((each) => given[each] !== undefined);
  if (set.length > 1) {
    const message = `is set together with ${set[0]}; expected only one of the two`;
    context.addIssue({ code: 'custom', path: [set[1] ?? name], message });
  }
  const { error } = schema.safeParse(undefined);
  if (set.length > 0 || !error) return;
  const message = `${error.issues[0]?.message}. Or set ${fileOf(name)} or ${referenceOf(name)}`;
  context.addIssue({ code: 'custom', path: [name], message });
}

/** Reads a file that holds a secret, at the start, so that a wrong one stops the process. */
function checkFile(schema: z.ZodType) {
  return (path: string, context: z.RefinementCtx): void => {
    try {
      const { error } = schema.safeParse(textIn(path));
      for (const { message } of error?.issues ?? []) context.addIssue({ code: 'custom', message });
    } catch (error) {
      const message = `cannot be read: ${(error as Error).message}`;
      context.addIssue({ code: 'custom', message });
    }
  };
}

function secretOf(name: string, schema: z.ZodType, given: Given, options: SecretsManagerOptions) {
  const { [name]: value, [fileOf(name)]: path, [referenceOf(name)]: reference } = given;
  if (value !== undefined) return new KeptSecret({ read: async () => value });
  if (typeof path === 'string')
    return new KeptSecret({ read: async () => parsed(schema, textIn(path), `The file ${path}`) });
  if (reference === undefined) return undefined;
  const found = reference as SecretReference;
  return new KeptSecret({
    read: async () => parsed(schema, await readSecret(found, options), `The secret ${found.arn}`),
  });
}

/** Reads a secret as its schema says. @throws SecretError that says what is expected, and not what is there */
function parsed(schema: z.ZodType, text: string, where: string): unknown {
  const { success, data, error } = schema.safeParse(text);
  if (success) return data;
  throw new SecretError(
    `${where} holds a wrong value: ${error.issues.map(({ message }) => message).join(', ')}`,
  );
}

function textIn(path: string): string {
  return readFileSync(path, 'utf8').trim();
}
