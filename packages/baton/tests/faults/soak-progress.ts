import { Presets, SingleBar } from 'cli-progress';

const STEPS = 10;

/** How far a soak is: a bar on a terminal, a line a tenth where the output is piped. */
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

  /** So many tasks are finished. */
  update(finished: number): void {
    this.#bar?.update(finished);
    const step = Math.floor((finished / this.#total) * STEPS);
    if (this.#bar || step <= this.#said) return;
    this.#said = step;
    process.stderr.write(`${finished} of ${this.#total} finished\n`);
  }

  /** Leaves the bar as it is. */
  stop(): void {
    this.#bar?.stop();
  }
}
