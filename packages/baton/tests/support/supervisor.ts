import type { Program } from 'baton-dev/testing/program';

/** Keeps a number of programs running, as an orchestrator does: it counts each end, and starts another program. */
export class Supervisor {
  readonly #start: () => Promise<Program>;
  readonly #programs = new Set<Program>();
  readonly #outputs: Program[] = [];
  #stopping = false;
  #deaths = 0;

  /** @param start - starts one program, and resolves when it is ready */
  constructor(start: () => Promise<Program>) {
    this.#start = start;
  }

  /** The number of programs that have ended by themselves. */
  get deaths(): number {
    return this.#deaths;
  }

  /** The JSON log lines of all programs, in the order of their start. */
  get lines(): Record<string, unknown>[] {
    return this.#outputs.flatMap(({ lines }) => lines);
  }

  /** Starts a number of programs. Resolves when all are ready. */
  async start(programs: number): Promise<void> {
    await Promise.all(Array.from({ length: programs }, () => this.#add()));
  }

  /** Stops all programs, and starts no more. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#programs].map((program) => program.stop('SIGKILL')));
  }

  async #add(): Promise<void> {
    const program = await this.#start();
    this.#programs.add(program);
    this.#outputs.push(program);
    void this.#replace(program);
  }

  async #replace(program: Program): Promise<void> {
    await program.ended();
    this.#programs.delete(program);
    if (this.#stopping) return;
    this.#deaths += 1;
    // A program that is stopped during its start never becomes ready
    await this.#add().catch(() => undefined);
  }
}
