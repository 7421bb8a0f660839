// The secret between the worker, the gateway and the servers of functions.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { ConfigError } from 'baton-tasks/service';

const BYTES = 32;
/** Only the user of the images reads it. */
const MODE = 0o400;

/** Writes a new secret to a file. Keeps the file if there is one, because other containers have read it. */
export function writeFunctionsToken(path: string): void {
  try {
    writeFileSync(path, randomBytes(BYTES).toString('base64url'), { flag: 'wx', mode: MODE });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw new ConfigError(`FUNCTIONS_TOKEN_FILE cannot be written: ${(cause as Error).message}`, { cause });
  }
}
