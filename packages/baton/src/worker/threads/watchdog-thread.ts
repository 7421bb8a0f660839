// The watchdog's thread: looks at the event loop's heartbeat, and kills the process when it stops.
import { workerData } from 'node:worker_threads';
import { standardOutput } from '../../telemetry/standard-output.ts';
import { askBlockedLoop, type BlockedLoop } from './blocked-loop.ts';
import { Silence } from './silence.ts';
import { WatchdogMemory } from './watchdog-memory.ts';

/** Configures a watchdog thread. */
export interface WatchdogSettings {
  readonly memory: SharedArrayBuffer;
  /** How long the event loop may have no heartbeat, in milliseconds. */
  readonly limitMs: number;
  readonly periodMs: number;
  /** Whether the thread kills the process. Otherwise it only logs. */
  readonly ends: boolean;
  /** The fields of the worker's log lines. */
  readonly fields: Readonly<Record<string, unknown>>;
}

const FLUSH_MS = 500;

const { memory: buffer, limitMs, periodMs, ends, fields } = workerData as WatchdogSettings;
const memory = new WatchdogMemory(buffer);
const silence = new Silence(periodMs);
let reported = false;
let stopAskedAtMs: number | undefined;

setInterval(() => void look(), periodMs);

async function look(): Promise<void> {
  const { beats, debugged } = memory;
  const silentMs = silence.look({ nowMs: performance.now(), beats, debugged });
  if (silentMs < limitMs) reported = false;
  else if (!reported) await reportBlockedLoop(beats, silentMs);
  if (ends) endLateStop();
}

async function reportBlockedLoop(beats: number, silentMs: number): Promise<void> {
  reported = true;
  const found = await askBlockedLoop();
  // The loop continued after all
  if (memory.beats !== beats) return;
  const blockedMs = Math.round(silentMs);
  const what = 'the event loop is blocked for longer than a lease';
  log(ends ? `${what}: the process ends` : what, { blockedMs, ...described(found) });
  if (ends) end();
}

/** Describes the running tasks: by the loop's answer, or by the shared memory if it did not answer. */
function described(found: BlockedLoop | undefined): object {
  if (found) return { ...found.answer, where: found.where };
  return { lastBegun: memory.lastBegun, running: memory.running };
}

/** Kills a process whose stop takes longer than all its limits, because a supervisor waits for its end. */
function endLateStop(): void {
  const { stopWithinMs } = memory;
  if (stopWithinMs === 0) stopAskedAtMs = undefined;
  else stopAskedAtMs ??= silence.awakeMs;
  if (stopAskedAtMs === undefined || silence.awakeMs - stopAskedAtMs < stopWithinMs) return;
  log('the worker did not stop in time: the process ends', {
    stopWithinMs,
    ...described(undefined),
  });
  end();
}

function log(message: string, about: object): void {
  const level = ends ? 'fatal' : 'error';
  const line = { level, time: new Date().toISOString(), ...fields, ...about, message };
  const output = standardOutput({ service: String(fields['service']) });
  output.write(`${JSON.stringify(line)}\n`);
  output.flush(FLUSH_MS);
}

/** Kills the process. A thread has no other way to end a process whose main thread is blocked. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}
