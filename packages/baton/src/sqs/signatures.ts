// Signs the messages and rows that a process writes, and checks those that it reads.
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { Signing, SigningKey } from '../aws/signing.ts';
import { TaskError } from '../task/errors.ts';
import { queueWithoutLane } from '../task/lane.ts';

/** The most bytes that a signature adds to a body. */
export const SIGNATURE_BYTES = 130;
/** A signature: the key's id, and the HMAC-SHA-256 in base64url. */
const SIGNATURE = /^([\w.-]{1,64}):([\w-]{43})$/;
/** The beginning of a signed body. Nothing of a body is parsed before its signature was checked. */
const SIGNED = /^\{"signature":"([^"]{1,110})",/;

/**
 * The members of a row that its signature covers: what its sender says of the task, and what follows from its end. The
 * payload and the earliest start time are signed in the message. What workers change is not signed.
 */
const SIGNED_MEMBERS = [
  'taskId',
  'task',
  'queue',
  'parentId',
  'traceparent',
  'depth',
  'subject',
  'onEnd',
  'next',
  'groupId',
  'flowEnd',
  'afterId',
  'flowId',
  'memberIds',
] as const;

/** The row of a task or of a group, as far as its signature goes. */
export type SignedRow = { readonly [Name in (typeof SIGNED_MEMBERS)[number]]?: unknown } & {
  readonly signature?: string | undefined;
};

/** A message, or the row of its task, has no signature, or none that one of the process's keys has made for it. */
export class BadSignatureError extends TaskError {
  override readonly name = 'BadSignatureError';

  /** @param what - what was checked, and its fault */
  constructor(what: string) {
    super(`${what}: expected a signature by one of TASK_SIGNING_KEYS`);
  }
}

/**
 * Signs with the first key, and checks with all. A signature binds a message to its queue, and a row to its id.
 *
 * A body has its signature as its first member, so that copies, dead letters and redrives keep it. The rest of its bytes is
 * signed as it is.
 *
 * The keys may have to be fetched: a call rejects if they cannot be read.
 */
export class Signatures {
  /** Whether something with a fault is refused. Otherwise it is only logged. */
  readonly required: boolean;
  readonly #keys: Signing['keys'];

  constructor({ keys, required }: Signing) {
    this.#keys = keys;
    this.required = required;
  }

  /** Adds its signature to the body of an envelope. @param queue - its queue, or its lane's */
  async signed(body: string, queue: string): Promise<string> {
    const signature = await this.#of('message', queueWithoutLane(queue), body);
    return `{"signature":"${signature}",${body.slice(1)}`;
  }

  /** The fault in a message's signature; undefined if it has none. @param queue - where it was received, or its lane's */
  async faultIn(body: string, queue: string): Promise<BadSignatureError | undefined> {
    const [head = '', signature] = SIGNED.exec(body) ?? [];
    const unsigned = `{${body.slice(head.length)}`;
    return this.#fault(
      `A message in the queue ${queue}`,
      signature,
      'message',
      queueWithoutLane(queue),
      unsigned,
    );
  }

  /** Makes the signature of a row. */
  async ofRow(row: SignedRow): Promise<string> {
    return this.#of('row', textOf(row));
  }

  /** The fault in a row's signature; undefined if it has none. */
  async faultInRow(row: SignedRow): Promise<BadSignatureError | undefined> {
    return this.#fault(`The row of ${String(row.taskId)}`, row.signature, 'row', textOf(row));
  }

  async #of(...parts: readonly string[]): Promise<string> {
    const [{ id, key }] = (await this.#keys.value()) as readonly [SigningKey];
    return `${id}:${hmac(key, parts)}`;
  }

  async #fault(
    what: string,
    signature: string | undefined,
    ...parts: readonly string[]
  ): Promise<BadSignatureError | undefined> {
    const [, id, given = ''] = SIGNATURE.exec(signature ?? '') ?? [];
    const known = (await this.#keys.value()).find((key) => key.id === id);
    if (known && timingSafeEqual(Buffer.from(given), Buffer.from(hmac(known.key, parts)))) return undefined;
    if (id === undefined) return new BadSignatureError(`${what} has no signature`);
    return new BadSignatureError(`${what} has ${known ? 'a wrong signature' : `the unknown key ${id}`}`);
  }
}

/** Makes the signatures of a process. Undefined without keys. */
export function signaturesBy(signing: Signing | undefined): Signatures | undefined {
  return signing && new Signatures(signing);
}

function hmac(key: KeyObject, parts: readonly string[]): string {
  const digest = createHmac('sha256', key);
  // No part except the last has a line feed
  for (const part of parts) digest.update(`${part}\n`);
  return digest.digest('base64url');
}

/** The signed members as JSON. DynamoDB keeps no order of members. */
function textOf(row: SignedRow): string {
  return JSON.stringify(
    SIGNED_MEMBERS.map((name) => row[name] || null),
    (_name, value: unknown) =>
      value && typeof value === 'object' && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
        : value,
  );
}
