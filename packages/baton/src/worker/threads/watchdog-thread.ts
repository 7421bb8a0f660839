import { workerData } from 'node:worker_threads';
import { standardOutput } from '../../telemetry/standard-output.ts';
import { askBlockedLoop, type BlockedLoop } from '../blocked-loop.ts';
import { Silence } from '../silence.ts';
import { WatchdogMemory } from './watchdog-memory.ts';

/** What a watchdog thread is started with. */
export interface WatchdogSettings {
  readonly memory: SharedArrayBuffer;
  /** How long the event loop may be silent. */
  readonly limitMs: number;
  readonly periodMs: number;
  /** Whether the thread ends the process. */
  readonly ends: boolean;
  /** On its lines, as on the worker's own. */
  readonly fields: Readonly<Record<string, unknown>>;
}

const FLUSH_MS = 500;

const { memory: buffer, limitMs, periodMs, ends, fields } = workerData as WatchdogSettings;
const memory = new WatchdogMemory(buffer);
const silence = new Silence(periodMs);
let told = false;
let stopAskedAtMs: number | undefined;

setInterval(() => void look(), periodMs);

async function look(): Promise<void> {
  const { beats, debugged } = memory;
  const silentMs = silence.look({ nowMs: performance.now(), beats, debugged });
  if (silentMs < limitMs) told = false;
  else if (!told) await tellOfBlockedLoop(beats, silentMs);
  if (ends) endLateStop();
}

async function tellOfBlockedLoop(beats: number, silentMs: number): Promise<void> {
  told = true;
  const found = await askBlockedLoop();
  // It came round after all
  if (memory.beats !== beats) return;
  const blockedMs = Math.round(silentMs);
  const what = 'the event loop is blocked for longer than a lease';
  say(ends ? `${what}: the process ends` : what, { blockedMs, ...described(found) });
  if (ends) end();
}

/** Of a loop that could not be asked: what its memory says. */
function described(found: BlockedLoop | undefined): object {
  if (found) return { ...found.answer, where: found.where };
  return { lastBegun: memory.lastBegun, running: memory.running };
}

/** Nothing in a stop may take longer than its own limits: somebody waits for the process to end. */
function endLateStop(): void {
  const { stopWithinMs } = memory;
  if (stopWithinMs === 0) stopAskedAtMs = undefined;
  else stopAskedAtMs ??= silence.awakeMs;
  if (stopAskedAtMs === undefined || silence.awakeMs - stopAskedAtMs < stopWithinMs) return;
  say('the worker does not come to its stop in time: the process ends', {
    stopWithinMs,
    ...described(undefined),
  });
  end();
}

function say(message: string, about: object): void {
  const level = ends ? 'fatal' : 'error';
  const line = { level, time: new Date().toISOString(), ...fields, ...about, message };
  const output = standardOutput({ service: String(fields['service']) });
  output.write(`${JSON.stringify(line)}\n`);
  output.flush(FLUSH_MS);
}

/** In no other way can a thread end a process whose main thread is blocked. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}
