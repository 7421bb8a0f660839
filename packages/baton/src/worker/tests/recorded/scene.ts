import type { Stage } from './stage.ts';

/** Something that happens in a scene. */
export interface Step {
  readonly does: string;
  /** When, in seconds after the scene's begin. */
  readonly at: number;
  /** Does it. What it gives is recorded. */
  readonly act: (stage: Stage) => unknown;
}

/** What happens to a few tasks, from the first send on. It begins with an empty table. */
export interface Scene {
  /** The name of its file. */
  readonly name: string;
  readonly steps: readonly Step[];
}

/** When every scene begins. */
export const BEGIN_MS = Date.parse('2026-11-29T12:00:00.000Z');
/** A day, in seconds. */
export const DAY = 86_400;
/** What all sends belong to. */
export const trace = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', flags: '01' };
