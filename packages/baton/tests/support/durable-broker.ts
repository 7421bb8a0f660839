import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, Program } from 'baton-dev/testing/program';

/** An SQS that can be killed and started again: the same queues and messages at the same endpoint. */
export class DurableBroker {
  /** The endpoint to give to programs; it stays the same. */
  readonly endpoint: string;
  readonly #port: number;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #folder = mkdtempSync(join(tmpdir(), 'baton-broker-'));
  #program: Program | undefined;

  private constructor(port: number, environment: Readonly<Record<string, string>>) {
    this.#port = port;
    this.#environment = environment;
    this.endpoint = `http://127.0.0.1:${port}`;
  }

  /** Starts a broker without any queue. `environment` may set its SQS_SEED and SQS_HOSTILE. */
  static async start(environment: Readonly<Record<string, string>> = {}): Promise<DurableBroker> {
    const broker = new DurableBroker(await freePort(), environment);
    await broker.startAgain();
    return broker;
  }

  /** Starts it with the queues and messages that it had. Resolves once it answers. */
  async startAgain(): Promise<void> {
    const args = [String(this.#port), this.#folder];
    this.#program = new Program('packages/baton/tests/support/durable-sqs.ts', this.#environment, args);
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
