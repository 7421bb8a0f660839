// How large an answer is for Lambda.

/** The largest answer of a synchronous invocation (AWS: "Lambda quotas"), without room for status and headers. */
export const MAX_ANSWER_BYTES = 6_000_000;

/**
 * The bytes of a body in the answer of a function: there it is a text in JSON (AWS: "Lambda proxy integrations"), so each of
 * its quotes and backslashes takes two.
 */
export function bytesOfAnswer(body: string): number {
  return Buffer.byteLength(JSON.stringify(body));
}
