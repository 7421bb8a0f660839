import type { z } from 'zod';
import type { ValueIssue } from './errors.ts';

const MAX_ISSUES = 20;
const MAX_CHARACTERS = 200;

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
