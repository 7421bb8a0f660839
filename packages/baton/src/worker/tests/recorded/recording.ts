import type { Backends } from '../../../../tests/support/backends.ts';
import { flowScenes } from './flow-scenes.ts';
import { HANDLERS_WORDS } from './contracts.ts';
import { BEGIN_MS, type Scene, trace } from './scene.ts';
import { type Call, type Row, Stage } from './stage.ts';
import { trackedScenes } from './tracked-scenes.ts';
import { untrackedScenes } from './untracked-scenes.ts';

/** What a step did, as it is kept. */
export interface RecordedStep {
  readonly does: string;
  /** What SQS was asked for. */
  readonly calls: readonly Call[];
  /** What the step gave. */
  readonly gave: unknown;
  /** The table after it. */
  readonly rows: readonly Row[];
}

/** Every scene. */
export const scenes: readonly Scene[] = [...untrackedScenes, ...trackedScenes, ...flowScenes];

/**
 * Plays a scene.
 *
 * @param before - the scene as it was recorded: each step then begins with the rows and messages that were recorded of
 *   the steps before it, not with those that this version has made
 */
export async function play(
  scene: Scene,
  backends: Backends,
  before?: readonly RecordedStep[],
): Promise<RecordedStep[]> {
  const { now } = Date;
  const { random } = Math;
  const played: RecordedStep[] = [];
  const stage = new Stage(backends);
  // Chance and time are the same in each recording
  Math.random = () => 0.5;
  Date.now = () => stage.nowMs;
  try {
    for (const [index, { does, at, act }] of scene.steps.entries()) {
      const earlier = (before ?? played).slice(0, index);
      await stage.load(earlier.at(-1)?.rows ?? []);
      stage.nowMs = BEGIN_MS + at * 1000;
      stage.calls = [];
      stage.seen = [];
      stage.sent = earlier.flatMap(({ calls }) =>
        calls.flatMap((call) => ('send' in call ? [call.send] : [])),
      );
      const gave = await act(stage);
      const step = { does, calls: stage.calls, gave: gave ?? null, rows: await stage.rows() };
      played.push(JSON.parse(JSON.stringify(step)) as RecordedStep);
    }
    return played;
  } finally {
    Object.assign(Math, { random });
    Object.assign(Date, { now });
    stage.close();
  }
}

const RANDOM_UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g;
const TRACEPARENT = /00-([0-9a-f]{32})-[0-9a-f]{16}-01/g;
/** An error in a JSON text, as dead letters and listeners are told of it. */
const ERROR = /("(?:name|error)":"\w+","message":)("(?:[^"\\]|\\.)*")/g;

/**
 * A recording without what may differ: ids that are made by chance (of claims, of spans, of traces that nobody named),
 * and the library's own words for what went wrong. The names of errors, and what handlers say, stay.
 */
export function comparable(steps: readonly RecordedStep[]): unknown {
  return JSON.parse(JSON.stringify(steps), (_name, value: unknown) => {
    if (typeof value === 'string') return textWithoutChance(value);
    if (typeof value !== 'object' || value === null || !('name' in value && 'message' in value)) return value;
    const { message } = value as { readonly message: string | { readonly S: string } };
    const text = typeof message === 'string' ? message : message.S;
    return HANDLERS_WORDS.includes(text) ? value : { ...value, message: 'any words' };
  });
}

function textWithoutChance(text: string): string {
  return text
    .replaceAll(RANDOM_UUID, 'any-uuid')
    .replaceAll(TRACEPARENT, (_, id: string) => `00-${id === trace.traceId ? id : 'any-trace'}-any-span-01`)
    .replaceAll(ERROR, (all, name: string, words: string) =>
      HANDLERS_WORDS.includes(JSON.parse(words) as string) ? all : `${name}"any words"`,
    );
}

/** A recording as a file: a line for each row and for each call. */
export function fileOf(steps: readonly RecordedStep[]): string {
  const lines = (values: readonly unknown[]) =>
    values.length === 0 ? '[]' : `[\n  ${values.map((value) => JSON.stringify(value)).join(',\n  ')}\n ]`;
  const texts = steps.map(
    ({ does, calls, gave, rows }) =>
      `{\n "does": ${JSON.stringify(does)},\n "calls": ${lines(calls)},\n "gave": ${JSON.stringify(gave ?? null)},\n "rows": ${lines(rows)}\n}`,
  );
  return `[${texts.join(',\n')}]\n`;
}
