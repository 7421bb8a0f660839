import { MultiBar, Presets, type SingleBar } from 'cli-progress';

const STEPS = ['accepted', 'completed', 'notified'] as const;

/** How many orders have come how far: a bar a step on a terminal, nothing where the output is piped. */
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

  /** One more order has come so far. */
  step(step: (typeof STEPS)[number]): void {
    this.#steps.get(step)?.increment();
  }

  /** Leaves the bars as they are. */
  stop(): void {
    this.#bars?.stop();
  }
}
