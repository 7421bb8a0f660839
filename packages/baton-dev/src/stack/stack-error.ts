// The error of a stack that cannot be read or deployed.
import { printableLines } from '../terminal/printable.ts';

/**
 * A functions.yml or the parameters of a deploy are wrong. It has no stack trace, so that Serverless prints only the
 * message.
 */
export class StackError extends Error {
  constructor(message: string) {
    super(printableLines(message));
    this.stack = '';
  }
}
