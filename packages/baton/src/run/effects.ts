// Runs the effects of an attempt, so that an effect that has succeeded is not run again.
import { readThrown } from '../telemetry/thrown.ts';
import type { AttemptGate, GatedAttempt } from './attempt-end.ts';
import type { Effect } from '../task/effect.ts';
import { EffectUsedTwiceError, RejectTask } from '../task/errors.ts';
import { InvalidValueError, shownValue } from '../task/invalid-value.ts';
import { jsonIssue, toJson } from '../task/json-value.ts';

const EFFECT_KEY = /^[\w.:-]{1,64}$/;

/**
 * The state of an effect before this attempt: its kept result; `in doubt` if an earlier attempt started it; `not kept` if
 * it ran and its result could not be kept; undefined if it did not start.
 */
export type KnownEffect = { readonly result: unknown } | 'in doubt' | 'not kept' | undefined;

/** The result of an effect: its JSON (empty for `undefined`), or why it has none. */
export type EffectResult = { readonly json: string } | { readonly notJson: string };

/** Keeps the effects of one task. */
export interface KeptEffects {
  /** Finds the state of an effect that earlier attempts left. */
  find(key: string): Promise<KnownEffect>;
  /** Records that an effect starts. @throws ClaimLostError if another attempt has the task */
  begin(key: string): Promise<void>;
  /**
   * Keeps the result of an effect.
   *
   * @throws RejectTask if it cannot be kept, and ClaimLostError if another attempt has the task
   */
  keep(key: string, result: EffectResult): Promise<void>;
}

/**
 * Makes the `effect` of one attempt.
 *
 * @param begins - called when an effect begins. Returns a function that is called when it has ended and is kept
 */
export function effectOf(
  claim: KeptEffects,
  attempt: GatedAttempt,
  gate: AttemptGate,
  begins: () => () => void,
): Effect {
  const { task, taskId } = attempt;
  const used = new Set<string>();
  const once: Effect = async (key, run, { inDoubt } = {}) => {
    if (used.has(checkedEffectKey(key))) throw new EffectUsedTwiceError(key, task, taskId);
    used.add(key);
    const known = await claim.find(key);
    if (typeof known === 'object') return known.result as never;
    if (known === 'not kept' && !inDoubt)
      throw new RejectTask(
        `The effect ${key} of ${task} (${taskId}) ran in an earlier attempt, and its result could not be kept, so it does not run again; expected the option inDoubt, which asks for its result`,
      );
    const idempotencyKey = `${taskId}:${key}`;
    const found = known && inDoubt ? await inDoubt(idempotencyKey) : undefined;
    if (!found && inDoubt) await claim.begin(key);
    const doubt = found ? undefined : gate(`the effect ${key}`);
    if (doubt) await doubt;
    const { result } = found ?? { result: await run(idempotencyKey) };
    await claim.keep(key, effectResult(result));
    // The same value that later attempts get
    return ((await claim.find(key)) as { readonly result: never }).result;
  };
  return (key, run, options) => {
    const ended = begins();
    const running = once(key, run, options);
    // A rejected effect that nobody awaits must not end the process
    running.then(ended, ended);
    return running;
  };
}

/** Checks the key of an effect. @throws InvalidValueError if it is not 1 to 64 letters, digits and `. _ : -` */
export function checkedEffectKey(key: string): string {
  if (typeof key === 'string' && EFFECT_KEY.test(key) && key !== '__proto__') return key;
  const message = `expected a text of 1 to 64 letters, digits and . _ : -, got ${shownValue(key)}`;
  throw new InvalidValueError('Invalid effect', [{ path: 'key', message }]);
}

/** Makes JSON of an effect's result. Never throws, although reading a getter or a revoked Proxy may. */
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
