// Who calls through the gateway. The gateway says it and signs it, so that nobody else can.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** The header in which the gateway tells a service who calls: the caller, a space, and the signature. */
export const CALLER_HEADER = 'x-gateway-caller';

/** Makes the header's value. @param token - the secret that the gateway and the service have */
export function signedCaller(caller: string, token: string): string {
  return `${caller} ${signatureOf(caller, token)}`;
}

/** The caller on whose behalf the gateway sent a request. Undefined if somebody else sent it. */
export function forwardedCaller({ headers }: IncomingMessage, token: string): string | undefined {
  const value = headers[CALLER_HEADER];
  if (typeof value !== 'string') return undefined;
  const end = value.lastIndexOf(' ');
  const caller = value.slice(0, Math.max(0, end));
  const given = Buffer.from(value.slice(end + 1));
  const expected = Buffer.from(signatureOf(caller, token));
  return given.byteLength === expected.byteLength && timingSafeEqual(given, expected) ? caller : undefined;
}

/** The words in front keep it apart from whatever else may be signed with the secret. */
function signatureOf(caller: string, token: string): string {
  return createHmac('sha256', token).update(`gateway caller ${caller}`).digest('base64url');
}
