/**
 * No stack can be made: something in a functions.yml or in the parameters of a deploy is wrong. It has no stack trace:
 * Serverless prints the trace of an error that has one, and the message alone of an error that has none.
 */
export class StackError extends Error {
  constructor(message: string) {
    super(message);
    this.stack = '';
  }
}
