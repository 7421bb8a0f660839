// JSON documents of a token issuer, read by HTTP within limits.
import { answerText } from '../aws/answer-text.ts';

/** How long an issuer may take for one answer, in milliseconds. */
const TIMEOUT_MS = 3000;
/** The longest answer, in bytes (256 KiB). A key has some 500. */
const MAX_BYTES = 262_144;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Whether an issuer's URL is safe to read keys from: https, or http on this machine. */
export function isSafeIssuerUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname));
}

/**
 * Reads a JSON document. Follows no redirect.
 *
 * @throws Error if the answer takes longer than 3 s, has more than 256 KiB, is not 200 or not JSON
 */
export async function readIssuerJson(url: string): Promise<unknown> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const headers = { accept: 'application/json' };
  const response = await fetch(url, { redirect: 'manual', headers, signal });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`${url} answered ${response.status}; expected 200`);
  }
  return JSON.parse(await answerText(response, MAX_BYTES, url)) as unknown;
}
