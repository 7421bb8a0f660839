import type { MiddlewareStack } from '@smithy/types';
import { Sha256 } from './sha256.ts';

/** Settings of every client of AWS: docs/performance.md has what they save. */
export const leanSettings = { sha256: Sha256 } as const;

/** Who makes requests; CloudTrail shows it. The SDK puts a name together from some ten parts, for each request. */
export const USER_AGENT = 'baton';

/** Takes out of a client what the SDK does for each request, and nobody here looks at. */
export function leaveOutNeedless<Input extends object, Output extends object>({
  middlewareStack,
}: {
  readonly middlewareStack: MiddlewareStack<Input, Output>;
}): void {
  // A filtered copy of every input and every answer, for a logger that writes nothing
  middlewareStack.remove('loggerMiddleware');
  middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers['user-agent'] = USER_AGENT;
      return next(args);
    },
    { name: 'getUserAgentMiddleware', step: 'build', priority: 'low', override: true },
  );
}
