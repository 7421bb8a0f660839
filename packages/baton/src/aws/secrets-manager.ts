// Reads secrets from AWS Secrets Manager.
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsCredentialIdentity } from '@smithy/types';
import * as z from 'zod';
import { reasonOf } from '../telemetry/thrown.ts';
import { retryUntil } from '../time/backoff.ts';
import { answerText } from './answer-text.ts';
import { USER_AGENT } from './lean-client.ts';
import { Sha256 } from './sha256.ts';

/** How long one request may take, in milliseconds. */
const REQUEST_TIMEOUT_MS = 2000;
/** How long a failed request is retried, in milliseconds. */
const RETRIED_MS = 4000;
/** The longest answer, in bytes. A secret has at most 65,536, which JSON may write with six characters each. */
const MAX_BYTES = 524_288;
/** An ARN with its six random characters, and the key of a JSON secret as ECS writes it (`:KEY`, or `:KEY::`). */
const REFERENCE =
  /^(?<arn>arn:(?<partition>aws[a-z-]{0,20}):secretsmanager:(?<region>[a-z0-9-]{1,40}):\d{12}:secret:[\w/+=.@-]{1,512}-[A-Za-z0-9]{6})(?::(?<key>[^:]{1,256})(?:::)?)?$/;
/** The errors that say that the same request may succeed later, beside those of status 500 and more. */
const PASSING = /Throttling|TooManyRequests/;

/** A secret in Secrets Manager. */
export interface SecretReference {
  readonly arn: string;
  readonly region: string;
  /** Where Secrets Manager answers, unless the environment says it. */
  readonly endpoint: string;
  /** The member that is meant, if the secret is JSON. */
  readonly key: string | undefined;
}

/** Reads a reference to a secret: an ARN, and after it `:KEY` if the secret is JSON and one of its members is meant. */
export const secretReference = z
  .string()
  .regex(REFERENCE, {
    error:
      'expected the whole ARN of a secret in Secrets Manager, such as arn:aws:secretsmanager:eu-central-1:123456789012:secret:bank/key-AbCdEf, and :KEY after it if the secret is JSON',
  })
  .transform((text): SecretReference => {
    const { arn = '', partition = '', region = '', key } = REFERENCE.exec(text)?.groups ?? {};
    const suffix = partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
    return { arn, region, key, endpoint: `https://secretsmanager.${region}.${suffix}` };
  });

/** A secret cannot be read. The message names the secret, and never what it holds. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

/** A failure that may pass. */
class PassingError extends SecretError {}

/** Configures the access to Secrets Manager. */
export interface SecretsManagerOptions {
  readonly credentials: () => Promise<AwsCredentialIdentity>;
  /** Default: AWS's own in the secret's region. */
  readonly endpoint?: string | undefined;
}

/**
 * Reads the current version of a secret: one signed request, because the SDK's client would make each bundle larger.
 * A failure that may pass is retried for 4 s.
 *
 * @throws SecretError if the secret does not exist, may not be read or holds no such text
 */
export async function readSecret(
  reference: SecretReference,
  options: SecretsManagerOptions,
): Promise<string> {
  const { arn, key } = reference;
  const text = await retryUntil(
    performance.now() + RETRIED_MS,
    () => request(reference, options),
    (error) => error instanceof PassingError,
  );
  const value = key === undefined ? text : objectIn(String(text))[key];
  if (typeof value === 'string' && value !== '') return value;
  throw new SecretError(
    key === undefined
      ? `The secret ${arn} holds no text: expected a SecretString`
      : `The secret ${arn} has no text under the key ${key}: expected JSON such as {"${key}":"..."}`,
  );
}

async function request(
  { arn, region, endpoint: usual }: SecretReference,
  { credentials, endpoint = usual }: SecretsManagerOptions,
): Promise<unknown> {
  const url = new URL(endpoint);
  const body = JSON.stringify({ SecretId: arn });
  const signer = new SignatureV4({ service: 'secretsmanager', region, credentials, sha256: Sha256 });
  let response: Response;
  let text: string;
  try {
    const { headers } = await signer.sign({
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      headers: {
        host: url.host,
        'content-type': 'application/x-amz-json-1.1',
        'user-agent': USER_AGENT,
        'x-amz-target': 'secretsmanager.GetSecretValue',
      },
      body,
    });
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    text = await answerText(response, MAX_BYTES, url.host);
  } catch (cause) {
    if (cause instanceof RangeError) throw new SecretError(`The secret ${arn}: ${cause.message}`);
    const why = reasonOf((cause as Error).cause ?? cause);
    throw new PassingError(`The secret ${arn} cannot be read at ${url.host}: ${why}`, { cause });
  }
  const answer = objectIn(text);
  if (response.status === 200) return answer['SecretString'];
  throw failureOf(arn, response.status, answer['__type']);
}

/** What an answer means that is not the secret. Its own words are left out, because they are not ours to trust. */
function failureOf(arn: string, status: number, type: unknown): SecretError {
  const name = /\w{1,60}$/.exec(typeof type === 'string' ? type : '')?.[0] ?? `status ${status}`;
  if (name === 'ResourceNotFoundException')
    return new SecretError(`The secret ${arn} does not exist, or is being deleted: expected it to be there`);
  if (name === 'AccessDeniedException')
    return new SecretError(
      `This process may not read the secret ${arn}: expected its role to allow secretsmanager:GetSecretValue (access: secrets), and the secret's key to let it decrypt`,
    );
  const message = `Secrets Manager refused to give the secret ${arn}: ${name}`;
  return status >= 500 || PASSING.test(name) ? new PassingError(message) : new SecretError(message);
}

/** The members of a JSON object. None if the text is something else. */
function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
