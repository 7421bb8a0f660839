import { MultiBar, Presets, type SingleBar } from 'cli-progress';

/** Shows the progress of the bench: a bar on a terminal, a line for each round if the output is piped. */
export class Progress {
  readonly #bars: MultiBar | undefined;
  readonly #bar: SingleBar | undefined;
  #round = '';

  /** @param rounds - the rounds of all measures together */
  constructor(rounds: number) {
    if (!process.stderr.isTTY) return;
    this.#bars = new MultiBar(
      { format: ' {bar} {value}/{total} {duration_formatted} {what}', hideCursor: true },
      Presets.shades_classic,
    );
    this.#bar = this.#bars.create(rounds, -1, { what: '' });
  }

  /** Shows that a round starts. */
  round(title: string, round: number, rounds: number): void {
    this.#round = rounds > 1 ? `${title}, round ${round} of ${rounds}` : title;
    if (this.#bar) this.#bar.increment({ what: this.#round });
    else process.stderr.write(`${this.#round}\n`);
  }

  /** Shows the current step. */
  say(text: string): void {
    this.#bar?.update({ what: `${this.#round}: ${text}` });
  }

  /** Shows a failure. */
  failed(text: string): void {
    if (this.#bars) this.#bars.log(`FAILED ${text}\n`);
    else process.stderr.write(`FAILED ${text}\n`);
  }

  /** Stops the bar and leaves it on the screen. */
  stop(): void {
    this.#bar?.increment({ what: '' });
    this.#bars?.stop();
  }
}
