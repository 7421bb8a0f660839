// Retry policies: how often a task is attempted, and how long it rests between attempts.
import * as z from 'zod';
import { equalJitter, longestRest } from '../time/backoff.ts';

const DEFAULT_CAP_SECONDS = 3600;

/** How often a task is attempted, and how long it rests between attempts. */
export interface RetryPolicy {
  /** The number of attempts, including the first. 1 to 100. */
  readonly maxAttempts: number;
  /** The longest rest after the first attempt, in seconds. It doubles with each attempt. 1 to 43,200. */
  readonly baseSeconds: number;
  /** The longest rest after any attempt, in seconds. Default 3,600, at most 43,200 (the longest that SQS hides a message). */
  readonly capSeconds?: number;
}

/** The limits of a retry policy. */
export const retryPolicySchema = z.object({
  maxAttempts: z.int().min(1).max(100),
  baseSeconds: z.int().min(1).max(43_200),
  capSeconds: z.int().min(1).max(43_200).optional(),
});

/**
 * The rest after a failed attempt, in whole seconds, at least 1. Exponential, with equal jitter.
 *
 * @param attempt - the attempt that failed, counted from 1
 * @param random - a number from 0 to 1; default: `Math.random()`
 */
export function retryDelaySeconds(policy: RetryPolicy, attempt: number, random?: number): number {
  const cap = policy.capSeconds ?? DEFAULT_CAP_SECONDS;
  const longest = longestRest({ base: policy.baseSeconds, cap }, attempt - 1);
  return Math.max(1, Math.round(equalJitter(longest, random)));
}
