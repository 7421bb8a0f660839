import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const HEAP_MB = 8192;
const ANSWER_MS = 30_000;

/** Counts of requests by action (`ReceiveMessage`), and by action and queue or table (`ReceiveMessage bench-1`). */
export type RequestCounts = Readonly<Record<string, number>>;

/** The message of a server's program once it listens. */
export interface Listening {
  readonly endpoint: string;
}

/** An emulator in a process of its own that counts its requests. */
export class CountingServer {
  readonly endpoint: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, endpoint: string) {
    this.#child = child;
    this.endpoint = endpoint;
  }

  /**
   * Starts a program of this folder that calls `RequestCounter.serve`.
   *
   * @param file - its file name, such as `fauxqs-server.ts`
   */
  static async start(file: string): Promise<CountingServer> {
    const path = fileURLToPath(new URL(file, import.meta.url));
    const child = fork(path, { execArgv: [`--max-old-space-size=${HEAP_MB}`], stdio: 'inherit' });
    const { endpoint } = await answer<Listening>(child);
    return new CountingServer(child, endpoint);
  }

  /** The counts since the last call. Resets them. */
  async takeCounts(): Promise<RequestCounts> {
    this.#child.send('take');
    return answer<RequestCounts>(this.#child);
  }

  /** Kills the process. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

async function answer<Answer>(child: ChildProcess): Promise<Answer> {
  const ended = new AbortController();
  const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(ANSWER_MS)]);
  const onExit = (): void => ended.abort(new Error(`${child.spawnfile} ended before it answered`));
  child.once('exit', onExit);
  try {
    const [message] = (await once(child, 'message', { signal })) as [Answer];
    return message;
  } finally {
    child.removeListener('exit', onExit);
  }
}
