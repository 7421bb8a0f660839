// Values that break a schema or a rule, and how errors describe them.
import type { z } from 'zod';
import { TaskError } from './errors.ts';

const MAX_ISSUES = 20;
const MAX_CHARACTERS = 200;

/** A fault of a value, and where in it. */
export interface ValueIssue {
  /** The dotted path from the value's root, such as `items.0.quantity`. Empty for the value itself. */
  readonly path: string;
  readonly message: string;
}

/** A value breaks its contract or a rule, such as a payload, a result or an option of a send. `issues` say where. */
export class InvalidValueError extends TaskError {
  override readonly name = 'InvalidValueError';
  readonly issues: readonly ValueIssue[];

  constructor(what: string, issues: readonly ValueIssue[]) {
    super(`${what}: ${issues.map(({ path, message }) => `${path || '(root)'}: ${message}`).join('; ')}`);
    this.issues = issues;
  }
}

/**
 * The faults that a schema found. At most 20, each with at most 200 characters, so that bad input cannot cause large
 * answers.
 */
export function valueIssues(error: z.ZodError): ValueIssue[] {
  return error.issues.slice(0, MAX_ISSUES).map(({ path, message }) => ({
    path: path.join('.').slice(0, MAX_CHARACTERS),
    message: message.slice(0, MAX_CHARACTERS),
  }));
}

/** Shows a value in an error message: strings (cut to 64 characters) and numbers as they are, of other values the type. */
export function shownValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 64));
  return typeof value === 'number' || value === null ? String(value) : typeof value;
}
