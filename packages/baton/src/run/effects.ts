import { readThrown } from '../telemetry/thrown.ts';
import type { AttemptGate, GatedAttempt } from './attempt-end.ts';
import type { Effect } from '../task/effect.ts';
import { EffectUsedTwiceError, RejectTask } from '../task/errors.ts';
import { InvalidValueError, shownValue } from '../task/invalid-value.ts';
import { jsonIssue, toJson } from '../task/json-value.ts';

const EFFECT_KEY = /^[\w.:-]{1,64}$/;

/**
 * What is known of an effect: what it gave, that an attempt before this one began it, that it was run and gave what cannot
 * be kept, or nothing.
 */
export type KnownEffect = { readonly result: unknown } | 'in doubt' | 'not kept' | undefined;

/** What an effect gave: its JSON, empty of `undefined`, or why it has none. */
export type EffectResult = { readonly json: string } | { readonly notJson: string };

/** Where the effects of one task are kept. */
export interface KeptEffects {
  /** What earlier attempts have left of an effect. */
  find(key: string): Promise<KnownEffect>;
  /** Notes that an effect begins. @throws ClaimLostError when the task is no longer this attempt's */
  begin(key: string): Promise<void>;
  /**
   * Keeps what an effect gave.
   *
   * @throws RejectTask when that cannot be kept, and ClaimLostError when the task is no longer this attempt's
   */
  keep(key: string, result: EffectResult): Promise<void>;
}

/** Makes the `effect` of one attempt. */
export function effectOf(claim: KeptEffects, attempt: GatedAttempt, gate: AttemptGate): Effect {
  const { task, taskId } = attempt;
  const used = new Set<string>();
  const once: Effect = async (key, run, { inDoubt } = {}) => {
    if (used.has(checkedEffectKey(key))) throw new EffectUsedTwiceError(key, task, taskId);
    used.add(key);
    const known = await claim.find(key);
    if (typeof known === 'object') return known.result as never;
    if (known === 'not kept' && !inDoubt)
      throw new RejectTask(
        `The effect ${key} of ${task} (${taskId}) was run by an earlier attempt, and what it gave could not be kept: it is not run again. With inDoubt it asks what became of it`,
      );
    const idempotencyKey = `${taskId}:${key}`;
    const found = known && inDoubt ? await inDoubt(idempotencyKey) : undefined;
    if (!found && inDoubt) await claim.begin(key);
    const doubt = found ? undefined : gate(`the effect ${key}`);
    if (doubt) await doubt;
    const { result } = found ?? { result: await run(idempotencyKey) };
    await claim.keep(key, effectResult(result));
    // As every later attempt gets it
    return ((await claim.find(key)) as { readonly result: never }).result;
  };
  return (key, run, options) => {
    const running = once(key, run, options);
    // An effect that nobody waits for must not bring the process down
    running.catch(() => undefined);
    return running;
  };
}

/** The key of an effect. @throws InvalidValueError when it is not 1 to 64 letters, digits and `. _ : -` */
export function checkedEffectKey(key: string): string {
  if (typeof key === 'string' && EFFECT_KEY.test(key) && key !== '__proto__') return key;
  const message = `expected a text of 1 to 64 letters, digits and . _ : -, got ${shownValue(key)}`;
  throw new InvalidValueError('The effect cannot be kept', [{ path: 'key', message }]);
}

/** What an effect gave, as text. Never throws, as a look at a getter or a revoked Proxy may. */
export function effectResult(result: unknown): EffectResult {
  try {
    return { json: toJson(result) };
  } catch (error) {
    return { notJson: whyNotJson(result) ?? readThrown(error).message };
  }
}

function whyNotJson(value: unknown): string | undefined {
  try {
    return jsonIssue(value)?.message;
  } catch {
    return undefined;
  }
}
