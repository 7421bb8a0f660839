import type { FlowEnd } from './flow-end.ts';

/** A task that takes the result of another as its payload. */
export interface NextTask {
  readonly taskId: string;
  readonly task: string;
  /** What it leads to; nothing if it is the last one itself. */
  readonly flowEnd?: FlowEnd | undefined;
  /** The version of its contract, as whoever started the flow knew it. Default 1. */
  readonly version?: number | undefined;
  /** The queue that carries it; of a lane that one's own, such as `orders_high`. */
  readonly queue: string;
}

/** A task that is told how another one ended, as whoever ends that one has to know it. */
export type Listener = Omit<NextTask, 'taskId' | 'flowEnd'>;
