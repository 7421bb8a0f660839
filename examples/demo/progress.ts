import { MultiBar, Presets, type SingleBar } from 'cli-progress';

const STEPS = ['accepted', 'completed', 'notified'] as const;

/** Shows how many orders have reached each step, a bar for each, on a terminal. Shows nothing if the output is piped. */
export class Progress {
  readonly #bars: MultiBar | undefined;
  readonly #steps = new Map<string, SingleBar>();

  constructor(total: number) {
    if (!process.stderr.isTTY) return;
    this.#bars = new MultiBar(
      { format: ' {step} {bar} {value}/{total}', hideCursor: true },
      Presets.shades_classic,
    );
    for (const step of STEPS) this.#steps.set(step, this.#bars.create(total, 0, { step: step.padEnd(9) }));
  }

  /** Counts an order that reached a step. */
  step(step: (typeof STEPS)[number]): void {
    this.#steps.get(step)?.increment();
  }

  /** Stops and leaves the bars on the screen. */
  stop(): void {
    this.#bars?.stop();
  }
}
