// Contracts, as their released files describe them.
import { type TaskContract, taskNameSchema } from 'baton-tasks';
import * as z from 'zod';
import { canonical, type Schema } from './schema.ts';

const jsonSchema = z.custom<Schema>(
  (value) => typeof value === 'object' && value !== null,
  'expected a schema',
);

/**
 * The fields of a contract: `compared` by the guard, or why a change breaks nothing. A new field of `TaskContract` does not
 * compile until it has a line here.
 *
 * A compared field also needs `releasedContractSchema` and `describeContract` below, and what a change breaks in
 * `contractBreaks`. If workers must learn it from the message, add it to the envelope (packages/baton/src/sqs/envelope.ts)
 * and to the ticks of EventBridge (packages/baton-dev/src/deploy/schedules.ts). docs/guide.md lists all fields.
 */
export const CONTRACT_FIELDS = {
  name: 'compared',
  version: 'compared',
  queue: 'compared',
  lanes: 'compared',
  defaultLane: 'compared',
  payload: 'compared',
  result: 'compared',
  tracked: 'compared',
  maxPayloadBytes: 'compared',
  retry: 'a message in flight is retried by the policy of the worker that runs it',
  timeoutSeconds: 'an attempt has the limit of the worker that runs it',
  isolation: 'it says where a worker runs the handler, not what it runs',
  schedule: 'a changed schedule gets a new row',
  onEnd: 'the row of a task in flight names its listener',
} as const satisfies Readonly<Record<keyof TaskContract, string>>;

/** The file of a released contract: the fields that messages in flight and services one version behind rely on. */
export const releasedContractSchema = z.strictObject({
  name: taskNameSchema,
  version: z.int().min(1),
  queue: z.string(),
  /** Sorted. Without their weights, which no message relies on. */
  lanes: z.array(z.string()).optional(),
  defaultLane: z.string().optional(),
  tracked: z.boolean(),
  /** Absent for the default. */
  maxPayloadBytes: z.int().min(1).optional(),
  payload: jsonSchema,
  result: jsonSchema,
});

/** A released contract. Payload and result are JSON Schemas of received values, with their `default`s. */
export type ReleasedContract = z.output<typeof releasedContractSchema>;

/**
 * Describes a contract.
 *
 * @throws TypeError that names the contract if a schema is not one of JSON, or returns another type than it accepts: the
 *   consumer's schema checks the output of the sender's
 */
export function describeContract(contract: TaskContract): ReleasedContract {
  const { name, version = 1, queue, lanes, defaultLane, tracked = false, payload, result } = contract;
  const { maxPayloadBytes } = contract;
  const described = {
    payload: describeSchema(`${name} payload`, payload),
    result: describeSchema(`${name} result`, result),
  };
  const laned = lanes && { lanes: Object.keys(lanes).toSorted(), defaultLane };
  const bounded = maxPayloadBytes !== undefined && { maxPayloadBytes };
  return { name, version, queue, ...laned, tracked, ...bounded, ...described };
}

/** The schema of a task without a result, for which JSON has no value. */
const NOTHING: Schema = { not: {} };

function describeSchema(what: string, schema: z.ZodType): Schema {
  if (schema instanceof z.ZodVoid || schema instanceof z.ZodUndefined) return NOTHING;
  try {
    const {
      $schema: _taken,
      '~standard': _standard,
      ...taken
    } = z.toJSONSchema(schema, { io: 'input', override });
    const {
      $schema: _given,
      '~standard': _other,
      ...given
    } = z.toJSONSchema(schema, { io: 'output', override });
    if (canonical(asGiven(taken)) === canonical(asGiven(given, true))) return taken;
  } catch (cause) {
    throw new TypeError(`${what}: ${(cause as Error).message}`, { cause });
  }
  throw new TypeError(
    `${what}: a transform or codec returns another type than it accepts; expected a schema without, because a value is checked where it is sent and where it is received`,
  );
}

/** The members of zod's checks of URLs and JWTs that JSON Schema cannot express. */
const CHECKED = ['protocol', 'hostname', 'alg'] as const;

/** A schema of zod, or one of its checks, with the members that concern texts. */
interface Checked {
  readonly _zod: {
    readonly def: {
      readonly pattern?: RegExp;
      readonly checks?: readonly Checked[];
      readonly protocol?: RegExp;
      readonly hostname?: RegExp;
      readonly alg?: string | null;
    };
  };
}

/** Adds keywords of our own for zod's checks of texts that JSON Schema leaves out, so that the guard sees their changes. */
function override({
  zodSchema,
  jsonSchema: json,
}: {
  zodSchema: z.core.$ZodTypes;
  jsonSchema: Schema;
}): void {
  const flags = patternsOf(zodSchema as Checked).map((pattern) => pattern.flags);
  if (flags.some((each) => each !== '')) json['x-flags'] = flags;
  const { _zod: internals } = zodSchema as Checked;
  for (const name of CHECKED) {
    const { [name]: checked } = internals.def;
    if (checked !== undefined && checked !== null) json[`x-${name}`] = String(checked);
  }
}

function patternsOf({ _zod: { def } }: Checked): RegExp[] {
  return [...(def.pattern ? [def.pattern] : []), ...(def.checks ?? []).flatMap(patternsOf)];
}

/**
 * Turns the schema of accepted values into that of returned values: properties with a default are always there, and unknown
 * properties are dropped.
 *
 * @param isGiven - whether it is a schema of returned values already. Then only needless keywords are removed
 */
function asGiven(value: unknown, isGiven = false): unknown {
  if (Array.isArray(value)) return value.map((each) => asGiven(each, isGiven));
  if (typeof value !== 'object' || value === null) return value;
  const { default: _filled, ...schema } = value as Schema;
  const inner = Object.fromEntries(
    Object.entries(schema).map(([key, each]) => [key, asGiven(each, isGiven)]),
  );
  if (schema.type !== 'object' || schema.properties === undefined) return inner;
  const names = Object.keys(schema.properties);
  const filled = names.filter((name) => {
    const property = schema.properties?.[name];
    return !isGiven && typeof property === 'object' && 'default' in property;
  });
  const required = [...new Set([...(schema.required ?? []), ...filled])].toSorted();
  return { additionalProperties: false, ...inner, required };
}
