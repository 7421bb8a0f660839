/**
 * Something in a functions.yml or in the parameters of a deploy that no stack can be made of. Serverless shows the
 * stack of what a variable's function throws, and the bare text of what has none: whoever deploys needs the latter.
 */
export class StackError extends Error {
  constructor(message: string) {
    super(message);
    this.stack = '';
  }
}
