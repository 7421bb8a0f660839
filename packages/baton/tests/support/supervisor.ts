import type { Program } from 'baton-dev/testing/program';

/** Keeps so many programs running, as an orchestrator does: each that ends is started again, and counted. */
export class Supervisor {
  readonly #start: () => Promise<Program>;
  readonly #programs = new Set<Program>();
  readonly #outputs: Program[] = [];
  #stopping = false;
  #deaths = 0;

  /** @param start - starts one program; resolves when it is at work */
  constructor(start: () => Promise<Program>) {
    this.#start = start;
  }

  /** How many programs have ended by themselves. */
  get deaths(): number {
    return this.#deaths;
  }

  /** The JSON log lines of all programs, those that have ended first. */
  get lines(): Record<string, unknown>[] {
    return this.#outputs.flatMap(({ lines }) => lines);
  }

  /** Starts them. Resolves when all are at work. */
  async start(programs: number): Promise<void> {
    await Promise.all(Array.from({ length: programs }, () => this.#add()));
  }

  /** Stops them, and starts no more. */
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
    // One that is stopped while it starts never comes to work
    await this.#add().catch(() => undefined);
  }
}
