import type { Stage } from './stage.ts';

/** A step of a scene. */
export interface Step {
  readonly does: string;
  /** The time of the step, in seconds after the start of the scene. */
  readonly at: number;
  /** Runs the step. The result is recorded. */
  readonly act: (stage: Stage) => unknown;
}

/** The story of a few tasks, from their first send on. It starts with an empty table. */
export interface Scene {
  /** The name of its file. */
  readonly name: string;
  readonly steps: readonly Step[];
}

/** The time at which each scene starts, in milliseconds since 1970. */
export const BEGIN_MS = Date.parse('2026-11-29T12:00:00.000Z');
/** A day, in seconds. */
export const DAY = 86_400;
/** The trace of all sends. */
export const trace = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', flags: '01' };
