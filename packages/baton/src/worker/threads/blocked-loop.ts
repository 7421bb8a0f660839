// Finds out what a blocked event loop does.
import { Session } from 'node:inspector';

/** An answer takes milliseconds, or a second on a busy machine. It never comes if the main thread is inside a system call. */
const LIMIT_MS = 3000;
const MAX_FRAMES = 10;

/** The name of the global function that the watchdog calls in the paused main thread. */
export const ANSWER_NAME = 'batonWatchdogAnswer';

/** The state of the blocked main thread. */
export interface BlockedLoop {
  /** The stack, its top first. */
  readonly where: readonly string[];
  /** The result of the function `ANSWER_NAME`. */
  readonly answer: Readonly<Record<string, unknown>>;
}

interface Paused {
  readonly params: {
    readonly callFrames: readonly {
      readonly callFrameId: string;
      readonly functionName: string;
      readonly location: { readonly scriptId: string; readonly lineNumber: number };
    }[];
  };
}

interface Parsed {
  readonly params: { readonly scriptId: string; readonly url: string };
}

/**
 * Pauses the main thread from another thread, as a debugger does, and reads its stack. That works even in an endless loop.
 * Afterwards the main thread continues. Resolves to undefined if it does not pause within 3 s, for example inside a blocking
 * system call.
 */
export async function askBlockedLoop(): Promise<BlockedLoop | undefined> {
  const session = new Session();
  const { promise, resolve } = Promise.withResolvers<BlockedLoop | undefined>();
  const timer = setTimeout(() => resolve(undefined), LIMIT_MS);
  try {
    session.connectToMainThread();
    const urls = new Map<string, string>();
    session.on('Debugger.scriptParsed', ({ params: { scriptId, url } }: Parsed) => urls.set(scriptId, url));
    session.on('Debugger.paused', ({ params: { callFrames } }: Paused) => {
      const where = callFrames
        .slice(0, MAX_FRAMES)
        .map(
          ({ functionName, location: { scriptId, lineNumber } }) =>
            `${functionName || '(anonymous)'} ${urls.get(scriptId) ?? '(unknown)'}:${lineNumber + 1}`,
        );
      const expression = `globalThis.${ANSWER_NAME}()`;
      const on = { callFrameId: callFrames[0]?.callFrameId, expression };
      session.post('Debugger.evaluateOnCallFrame', on as never, (_error, answered) => {
        resolve({
          where,
          answer: parsed((answered as { result?: { value?: unknown } } | undefined)?.result?.value),
        });
      });
    });
    session.post('Debugger.enable');
    session.post('Debugger.pause');
    return await promise;
  } catch {
    // This Node has no inspector
    return undefined;
  } finally {
    clearTimeout(timer);
    session.disconnect();
  }
}

function parsed(text: unknown): Record<string, unknown> {
  try {
    return JSON.parse(String(text)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
