import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, Program } from 'baton-dev/testing/program';

/** An SQS emulator that can be killed and restarted with the same queues and messages at the same endpoint. */
export class DurableBroker {
  /** The endpoint for programs. A restart does not change it. */
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

  /** Starts a broker without queues. `environment` may set SQS_SEED and SQS_HOSTILE. */
  static async start(environment: Readonly<Record<string, string>> = {}): Promise<DurableBroker> {
    const broker = new DurableBroker(await freePort(), environment);
    await broker.startAgain();
    return broker;
  }

  /** Restarts the broker with its queues and messages. Resolves once it answers. */
  async startAgain(): Promise<void> {
    const args = [String(this.#port), this.#folder];
    this.#program = new Program('packages/baton/tests/support/durable-sqs.ts', this.#environment, args);
    await this.#program.says(`SQS answers at ${this.endpoint}`);
  }

  /** Ends the broker, by SIGKILL as a crash or by SIGTERM as a deploy. Keeps its queues. */
  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    await this.#program?.stop(signal);
  }

  /** Ends the broker, and deletes its queues. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
  }
}
