// Settings that make the AWS SDK's clients faster.
import type { MiddlewareStack } from '@smithy/types';
import { Sha256 } from './sha256.ts';

/** Settings of every AWS client. docs/performance.md shows what they save. */
export const leanSettings = { sha256: Sha256 } as const;

/** The user agent of every request, which CloudTrail shows. The SDK would build a longer one for each request. */
export const USER_AGENT = 'baton';

/** Removes needless work from the requests of a client. */
export function leaveOutNeedless<Input extends object, Output extends object>({
  middlewareStack,
}: {
  readonly middlewareStack: MiddlewareStack<Input, Output>;
}): void {
  // It filters every input and answer for a logger that writes nothing
  middlewareStack.remove('loggerMiddleware');
  middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers['user-agent'] = USER_AGENT;
      return next(args);
    },
    { name: 'getUserAgentMiddleware', step: 'build', priority: 'low', override: true },
  );
}
