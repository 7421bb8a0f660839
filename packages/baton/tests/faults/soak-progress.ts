import { Presets, SingleBar } from 'cli-progress';

const STEPS = 10;

/** Shows the progress of a soak: a bar on a terminal, a line for each tenth if the output is piped. */
export class SoakProgress {
  readonly #total: number;
  readonly #bar: SingleBar | undefined;
  #said = 0;

  constructor(total: number) {
    this.#total = total;
    if (!process.stderr.isTTY) return;
    this.#bar = new SingleBar({ format: ' {bar} {value}/{total} finished' }, Presets.shades_classic);
    this.#bar.start(total, 0);
  }

  /** Shows the number of finished tasks. */
  update(finished: number): void {
    this.#bar?.update(finished);
    const step = Math.floor((finished / this.#total) * STEPS);
    if (this.#bar || step <= this.#said) return;
    this.#said = step;
    process.stderr.write(`${finished} of ${this.#total} finished\n`);
  }

  /** Stops the bar and leaves it on the screen. */
  stop(): void {
    this.#bar?.stop();
  }
}
