import type { z } from 'zod';
import type { ValueIssue } from './errors.ts';

const MAX_ISSUES = 20;

/** What a schema found wrong, as paths and messages: at most 20, so that bad input cannot make big answers. */
export function valueIssues(error: z.ZodError): ValueIssue[] {
  return error.issues.slice(0, MAX_ISSUES).map(({ path, message }) => ({ path: path.join('.'), message }));
}
