// The secrets of a deploy: parameters with ARNs of Secrets Manager, whose values functions fetch when they run.
import { secretReference } from 'baton-tasks/tooling';
import * as z from 'zod';
import type { Part } from '../stack/part.ts';
import { type Access, allow, type Statement } from './access.ts';

/** The secrets that a function may read: the parameter of each, by the variable that its code names. */
type SecretParameters = Access['secrets'];

/** The reference to each secret that a deploy was given, by its parameter. */
export type SecretReferences = Readonly<Record<string, string>>;

/** The secrets of every function and of the worker: what they send and write is signed if a deploy has keys. */
const OF_ALL: SecretParameters = { TASK_SIGNING_KEYS: 'signing-keys' };

const described = z.object({ secrets: z.record(z.string(), z.string()) });

/** The secrets of a function: those under its `access`, and those of all. If it is not understood, `readAccess` says so. */
export function secretsOf(access: unknown): SecretParameters {
  return { ...OF_ALL, ...described.safeParse(access).data?.secrets };
}

/** The parameters that hold references to secrets. @param parts - the contents of each functions.yml */
export function secretParametersOf(parts: Iterable<Part>): string[] {
  const all = [...parts].flatMap(({ functions }) => Object.values(functions ?? {}));
  return [
    ...new Set([...Object.values(OF_ALL), ...all.flatMap(({ access }) => Object.values(secretsOf(access)))]),
  ];
}

/** Why a text is no reference to a secret. Undefined if it is one. */
export function faultOfReference(text: string): string | undefined {
  return secretReference.safeParse(text).error?.issues[0]?.message;
}

/** The variables that tell a function where its secrets are. A secret that the deploy was not given has none. */
export function secretEnvironment(
  secrets: SecretParameters,
  references: SecretReferences,
): Record<string, string> {
  const entries = Object.entries(secrets).map(([variable, name]) => [`${variable}_SECRET`, references[name]]);
  return Object.fromEntries(entries.filter(([, reference]) => reference !== undefined)) as Record<
    string,
    string
  >;
}

/** The statement that lets a function read its secrets, and no others. */
export function secretStatements(secrets: SecretParameters, references: SecretReferences): Statement[] {
  const arns = Object.values(secretEnvironment(secrets, references)).map(
    (text) => secretReference.parse(text).arn,
  );
  return arns.length > 0 ? [allow(['secretsmanager:GetSecretValue'], [...new Set(arns)])] : [];
}
