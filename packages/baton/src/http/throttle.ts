// How many requests API Gateway lets through to a route.

/** The limits that API Gateway has by default for all APIs of an account ("Throttle requests to your HTTP APIs"). */
const MOST = { rate: 10_000, burst: 5000 } as const;

/** How many requests of all callers together API Gateway lets through to a route. More get 429. */
export interface Throttle {
  /** Requests a second, 1 to 10,000. */
  readonly rate: number;
  /** Requests at the same time, 1 to 5,000. */
  readonly burst: number;
}

/** Checks what a route declares. @throws TypeError if a number is no whole number within its limits */
export function checkThrottle(throttle: Throttle | undefined, where: string): void {
  if (!throttle) return;
  for (const name of ['rate', 'burst'] as const) {
    const { [name]: value } = throttle;
    if (Number.isInteger(value) && value >= 1 && value <= MOST[name]) continue;
    throw new TypeError(
      `The throttle of the route ${where} has the ${name} ${JSON.stringify(value)}: expected a whole number from 1 to ${MOST[name]}`,
    );
  }
}
