import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, Program } from './program.ts';

/** An SQS that can be killed and started again: the same queues and messages at the same endpoint. */
export class DurableBroker {
  /** The endpoint to give to programs; it stays the same. */
  readonly endpoint: string;
  readonly #port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'baton-broker-'));
  #program: Program | undefined;

  private constructor(port: number) {
    this.#port = port;
    this.endpoint = `http://127.0.0.1:${port}`;
  }

  /** Starts a broker without any queue. */
  static async start(): Promise<DurableBroker> {
    const broker = new DurableBroker(await freePort());
    await broker.startAgain();
    return broker;
  }

  /** Starts it with the queues and messages that it had. Resolves once it answers. */
  async startAgain(): Promise<void> {
    this.#program = new Program('tests/support/durable-sqs.ts', {}, [String(this.#port), this.#folder]);
    await this.#program.says(`SQS answers at ${this.endpoint}`);
  }

  /** Ends it, by SIGKILL as a crash would or by SIGTERM as a deploy would. Its queues stay. */
  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    await this.#program?.stop(signal);
  }

  /** Ends it, and forgets its queues. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
  }
}
