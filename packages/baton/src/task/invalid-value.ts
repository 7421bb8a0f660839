import type { z } from 'zod';
import { TaskError } from './errors.ts';

const MAX_ISSUES = 20;
const MAX_CHARACTERS = 200;

/** What is wrong with a value, and where in it. */
export interface ValueIssue {
  /** Dotted path from the value's root, such as `items.0.quantity`; empty for the value itself. */
  readonly path: string;
  readonly message: string;
}

/** A payload (or a result) that breaks its contract's schema; `issues` say where. */
export class InvalidValueError extends TaskError {
  override readonly name = 'InvalidValueError';
  readonly issues: readonly ValueIssue[];

  constructor(what: string, issues: readonly ValueIssue[]) {
    super(`${what}: ${issues.map(({ path, message }) => `${path || '(root)'}: ${message}`).join('; ')}`);
    this.issues = issues;
  }
}

/**
 * What a schema found wrong, as paths and messages: at most 20 of 200 characters each, so that bad
 * input cannot make big answers.
 */
export function valueIssues(error: z.ZodError): ValueIssue[] {
  return error.issues.slice(0, MAX_ISSUES).map(({ path, message }) => ({
    path: path.join('.').slice(0, MAX_CHARACTERS),
    message: message.slice(0, MAX_CHARACTERS),
  }));
}

/** A value as a message about it shows it: a text or a number, of anything else the kind. */
export function shownValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 64));
  return typeof value === 'number' || value === null ? String(value) : typeof value;
}
