// The entry `baton-tasks/http`: routes, problems, the intake and cursors, for a service's api.ts.

/** Make an API of routes. */
export { createApi } from './api.ts';
export type { ApiHandler } from './router.ts';
export { route, type Route, type RouteInput, type RouteResult } from './route.ts';
export type { Throttle } from './throttle.ts';
/** Know who calls, and say who may. */
export type { Access } from './access.ts';
export type { Caller } from './caller.ts';
/** Answer that something is wrong, as RFC 9457 says. */
export { notFound, Problem, type ProblemKind } from './problem.ts';
/** Accept a request once, however often it comes. */
export { Intake, type IntakeRequest, type IntakeRow } from './intake.ts';
export { hashOfRequest } from './intake.ts';
export { IdempotencyKeys, type IdempotencyKeysOptions, type KeyedRequest } from './idempotency-keys.ts';
/** Keep rows for as long as the operator says. */
export { type Renewal, Retention, retentionDays, type RetentionOptions } from './retention.ts';
/** Delete what belongs to a caller. */
export { eraseRow, type Erasure } from './erased-row.ts';
/** Answer with lists page by page. */
export { type Cursor, cursorOf, type Page, pageQuery } from './cursor.ts';
/** Refuse control characters in texts that people read. */
export { readable } from './readable.ts';
