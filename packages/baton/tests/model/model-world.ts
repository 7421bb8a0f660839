import type { Random } from '../faults/random.ts';
import type { Fault } from './history.ts';
import type { Ledger } from './ledger.ts';
import type { ModelSqs } from './model-sqs.ts';
import type { ModelTable } from './model-table.ts';

/** The state that all processes of a history share. */
export interface ModelWorld {
  readonly sqs: ModelSqs;
  readonly table: ModelTable;
  readonly ledger: Ledger;
  readonly random: Random;
  readonly leaseSeconds: number;
  /** The longest time that a request, or its response, takes on a healthy network. */
  readonly latencyMs: number;
  /** Returns the fault of the next request. */
  readonly nextFault: () => Fault;
  /** Whether the task store answers now. */
  readonly storeAnswers: () => boolean;
}
