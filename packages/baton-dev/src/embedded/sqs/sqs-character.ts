// The character of the embedded SQS.
import { randomInt } from 'node:crypto';

/** The largest seed. */
export const MAX_SEED = 2 ** 31 - 1;

/** Configures the behaviour of the embedded SQS that AWS does not promise. */
export interface SqsCharacter {
  /** Decides the order of messages and which of them come twice. From 0 to 2,147,483,647. */
  readonly seed: number;
  /**
   * Whether it does what AWS's standard queues do sometimes: it delivers messages twice, answers with fewer messages than
   * there are, and hides messages of a poll whose caller has closed the connection.
   */
  readonly hostile: boolean;
}

/** The variables that set the character, as text or parsed. */
export interface CharacterVariables {
  readonly SQS_SEED?: string | number | undefined;
  readonly SQS_HOSTILE?: string | undefined;
}

/** The character that the variables SQS_SEED and SQS_HOSTILE set. Default: a random seed, not hostile. */
export function characterFrom({ SQS_SEED: seed, SQS_HOSTILE: hostile }: CharacterVariables): SqsCharacter {
  return { seed: seed === undefined ? randomInt(MAX_SEED) : Number(seed), hostile: hostile === 'true' };
}

/** The character in words, with the seed as the variable that sets it. */
export function describeCharacter({ seed, hostile }: SqsCharacter): string {
  return `${hostile ? 'hostile, ' : ''}SQS_SEED=${seed}`;
}

/** Pseudo-random whole numbers from 0 to `limit` - 1; the same seed gives the same numbers (mulberry32). */
export function chanceOf(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}
