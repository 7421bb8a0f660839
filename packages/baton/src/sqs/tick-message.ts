// The messages of ticks that EventBridge Scheduler sends. It signs nothing, so a consumer has to know them by heart.
import { MAX_SKEW_MS } from '../time/clock-watch.ts';
import { sentPayload } from '../task/contract-values.ts';
import type { Implementations } from '../task/implementation.ts';
import { lastTick, SCHEDULER_SOURCE, tickTaskId } from '../task/schedule.ts';
import type { TaskContract } from '../task/task.ts';
import { encodeEnvelope } from './envelope.ts';

/** A tick's row is kept for at least this long. An older tick could run twice. */
const LONGEST_AGO_MS = 14 * 86_400_000;
/** The id of a tick at the beginning of a body. */
const TICK = /^\{"specversion":"1\.0","id":"schedule\.([\w.-]{1,98})\.(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"/;

/** The body of a tick's message: the same for all senders without keys. @param time - as `tickTime` writes it */
export function tickBody(contract: TaskContract, time: string): string {
  return encodeEnvelope({
    taskId: tickTaskId(contract.name, time),
    task: contract.name,
    version: contract.version,
    source: SCHEDULER_SOURCE,
    time,
    trace: undefined,
    // As a worker sends it, so that both are the same task
    data: sentPayload(contract, {}),
  });
}

/**
 * Whether a body is, byte for byte, a tick of the last 14 days that EventBridge Scheduler sends for one of these contracts.
 * Anybody can write such a body, but it has nothing that its writer could choose, and the task store runs a tick once. The
 * notes beside it are its writer's, so they do not count: see `processMessage`.
 */
export function isTickBody(body: string, implementations: Implementations, nowMs: number): boolean {
  const [, name = '', time = ''] = TICK.exec(body) ?? [];
  const contract = implementations.find(name)?.contract;
  const agoMs = nowMs - Date.parse(time);
  if (!contract?.schedule || !(agoMs >= -MAX_SKEW_MS && agoMs <= LONGEST_AGO_MS)) return false;
  const tick = new Date(time);
  return lastTick(contract.schedule, tick)?.getTime() === tick.getTime() && body === tickBody(contract, time);
}
