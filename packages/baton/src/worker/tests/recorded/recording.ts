import type { Backends } from '../../../../tests/support/backends.ts';
import { flowScenes } from './flow-scenes.ts';
import { HANDLERS_WORDS } from './contracts.ts';
import { BEGIN_MS, type Scene, trace } from './scene.ts';
import { type Call, type Row, Stage } from './stage.ts';
import { trackedScenes } from './tracked-scenes.ts';
import { untrackedScenes } from './untracked-scenes.ts';

/** The record of a step. */
export interface RecordedStep {
  readonly does: string;
  /** The requests to SQS. */
  readonly calls: readonly Call[];
  /** The value that the step returned. */
  readonly gave: unknown;
  /** The rows of the table after the step. */
  readonly rows: readonly Row[];
}

/** All scenes. */
export const scenes: readonly Scene[] = [...untrackedScenes, ...trackedScenes, ...flowScenes];

/**
 * Plays a scene.
 *
 * @param before - a recording of the scene. Each step then starts with the recorded rows and messages of the steps
 * before it, not with those that this version has made
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
  // Random numbers and times are the same in each recording
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
/** The id of a claim. The version before took a random UUID. */
const CLAIM_ID = /\bsha256:[\w-]{43}/g;
const TRACEPARENT = /00-([0-9a-f]{32})-[0-9a-f]{16}-01/g;
/** A signature covers the trace, whose spans are random. */
const SIGNATURE = /\bk-1:[\w-]{43}/g;
/** An error in a JSON text, as in dead letters and task ends. */
const ERROR = /("(?:name|error)":"\w+","message":)("(?:[^"\\]|\\.)*")/g;

/** The members of rows that a later version adds, and that another version does not miss. */
const LATER_MEMBERS = ['contractVersion', 'payloadHash', 'afterId', 'flowId'];

/**
 * Removes from a recording all parts that may differ: members of rows that a later version added, random ids of claims,
 * spans and traces, signatures, and the library's own error messages. The names of errors and the messages of handlers stay.
 */
export function comparable(steps: readonly RecordedStep[]): unknown {
  return JSON.parse(JSON.stringify(steps), (_name, value: unknown) => {
    if (typeof value === 'string') return textWithoutChance(value);
    if (isRow(value)) withoutLater(value);
    if (typeof value !== 'object' || value === null || !('name' in value && 'message' in value)) return value;
    const { message } = value as { readonly message: string | { readonly S: string } };
    const text = typeof message === 'string' ? message : message.S;
    return HANDLERS_WORDS.includes(text) ? value : { ...value, message: 'any words' };
  });
}

/** Removes what only a later version writes; and what it writes with the first attempt: empty `effects`, and counts. */
function withoutLater(row: Record<string, unknown>): void {
  for (const member of LATER_MEMBERS) delete row[member];
  if (JSON.stringify(row['effects']) === '{"M":{}}') delete row['effects'];
  for (const name of ['attempts', 'token']) if (JSON.stringify(row[name]) === '{"N":"0"}') delete row[name];
}

function isRow(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && 'taskId' in value && 'expiresAt' in value;
}

function textWithoutChance(text: string): string {
  return text
    .replaceAll(SIGNATURE, 'k-1:any')
    .replaceAll(RANDOM_UUID, 'any-uuid')
    .replaceAll(CLAIM_ID, 'any-uuid')
    .replaceAll(TRACEPARENT, (_, id: string) => `00-${id === trace.traceId ? id : 'any-trace'}-any-span-01`)
    .replaceAll(ERROR, (all, name: string, words: string) =>
      HANDLERS_WORDS.includes(JSON.parse(words) as string) ? all : `${name}"any words"`,
    );
}

/** The text of a recording's file: a line for each row and for each call. */
export function fileOf(steps: readonly RecordedStep[]): string {
  const lines = (values: readonly unknown[]) =>
    values.length === 0 ? '[]' : `[\n  ${values.map((value) => JSON.stringify(value)).join(',\n  ')}\n ]`;
  const texts = steps.map(
    ({ does, calls, gave, rows }) =>
      `{\n "does": ${JSON.stringify(does)},\n "calls": ${lines(calls)},\n "gave": ${JSON.stringify(gave ?? null)},\n "rows": ${lines(rows)}\n}`,
  );
  return `[${texts.join(',\n')}]\n`;
}
