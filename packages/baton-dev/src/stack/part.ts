// Reads a functions.yml.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { readYaml } from './cloudformation-yaml.ts';
import { WORKER_FOLDER } from './names.ts';
import type { Resources } from './resources.ts';
import { ROOT } from './root.ts';
import { StackError } from './stack-error.ts';

/** An event of a function: a queue that it consumes (`sqs`), or its route (`httpApi`). */
export interface FunctionEvent {
  readonly sqs?: { readonly arn?: unknown; readonly [setting: string]: unknown };
  readonly httpApi?: unknown;
  readonly [kind: string]: unknown;
}

/** A function in a functions.yml. */
export interface DescribedFunction {
  /** A module's path without its ending, and the name of its export: `functions/payments-service/api.handler`. */
  readonly handler: string;
  /** In seconds. Default: the provider's, in serverless.yml. */
  readonly timeout?: number;
  readonly environment?: Readonly<Record<string, unknown>>;
  /** The rights of the function; see `Access`. Not a member of Serverless. */
  readonly access?: unknown;
  readonly events?: readonly FunctionEvent[];
  readonly [member: string]: unknown;
}

/** Functions by their names. */
export type Functions = Readonly<Record<string, DescribedFunction>>;

/** A request that a newcomer can try once everything runs. */
export interface ExampleRequest {
  /** A method and a path: `POST /payments`. */
  readonly request: string;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** A parameter of a deploy: its meaning. With `local` it also has the value that `npm start` uses. */
export type Parameter = string | { readonly description: string; readonly local: string };

/** The contents of a functions.yml. */
export interface Part {
  readonly functions?: Functions | null;
  readonly resources?: { readonly Resources?: Resources | null } | null;
  /** The parameters of a deploy that this functions.yml uses as `${param:name, ''}`. */
  readonly parameters?: Readonly<Record<string, Parameter>> | null;
  readonly example?: ExampleRequest | null;
  /** Whether the service is part of the demo that comes with Baton: `npm run demo:remove` takes it away. */
  readonly demo?: boolean;
}

const eventSchema = z.looseObject({
  sqs: z.looseObject({}, { error: 'expected the settings of an event source' }).optional(),
});

const partSchema = z.strictObject({
  functions: z
    .record(
      z.string(),
      z.looseObject({
        handler: z.string(),
        timeout: z.int().optional(),
        environment: z.looseObject({}).optional(),
        events: z.array(eventSchema).optional(),
      }),
    )
    .nullish(),
  resources: z
    .strictObject({
      Resources: z
        .record(z.string(), z.looseObject({ Type: z.string(), Properties: z.looseObject({}) }))
        .nullish(),
    })
    .nullish(),
  parameters: z
    .record(
      z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/),
      z.union([z.string(), z.strictObject({ description: z.string(), local: z.string() })], {
        error: 'expected what the parameter means, or { description, local } with texts',
      }),
      { error: ({ code }) => (code === 'invalid_key' ? 'expected a name such as payments-url' : undefined) },
    )
    .nullish(),
  example: z
    .strictObject({
      request: z
        .string()
        .regex(/^[A-Z]+ \/\S*$/, { error: 'expected a method and a path, such as POST /payments' }),
      body: z.unknown(),
    })
    .nullish(),
  demo: z.boolean().optional(),
});

/** The folders that have a functions.yml: those of the services, and the worker's last. */
export function partFolders(root: string = ROOT): string[] {
  const services = readdirSync(join(root, 'functions'))
    .toSorted()
    .map((service) => `functions/${service}`);
  return [...services, WORKER_FOLDER].filter((folder) => existsSync(join(root, folder, 'functions.yml')));
}

/**
 * Reads the functions.yml of a folder for one stage.
 *
 * @param folder - from the root: `functions/payments-service`
 * @throws StackError naming the file, and the member that is not understood
 */
export function readPart(folder: string, stage: string, root: string = ROOT): Part {
  const file = `${folder}/functions.yml`;
  return partOf(readFileSync(join(root, file), 'utf8'), file, stage);
}

/** Reads every functions.yml for one stage, by its folder. @throws StackError as `readPart` does */
export function readParts(stage: string, root: string = ROOT): ReadonlyMap<string, Part> {
  return new Map(partFolders(root).map((folder) => [folder, readPart(folder, stage, root)]));
}

/** Reads the library's own part for one stage: the table of the task store. */
export function readSharedPart(stage: string): Part {
  const file = fileURLToPath(import.meta.resolve('baton-tasks/tasks-table.yml'));
  return partOf(readFileSync(file, 'utf8'), file, stage);
}

/**
 * Reads the text of a functions.yml. Resolves the stage, and leaves all other variables to Serverless.
 *
 * @param file - for errors
 * @throws StackError that names the file, and the invalid member
 */
export function partOf(text: string, file: string, stage: string): Part {
  const part = readYaml(text.replaceAll('${sls:stage}', stage), file);
  const { error } = partSchema.safeParse(part);
  if (error) throw new StackError(`${file}: ${z.prettifyError(error)}`);
  return part as Part;
}
