// Reads the body of an HTTP answer within a limit.

/**
 * Reads the body of an answer as text.
 *
 * @param from - who answered, for the error
 * @throws RangeError if it has more than `maxBytes`; the rest is not read
 */
export async function answerText(response: Response, maxBytes: number, from: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the rest
    if (bytes > maxBytes) throw new RangeError(`${from} answered more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
