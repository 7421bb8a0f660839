import type { Random } from '../faults/random.ts';
import type { Fault } from './history.ts';
import type { Ledger } from './ledger.ts';
import type { ModelSqs } from './model-sqs.ts';
import type { ModelTable } from './model-table.ts';

/** What all processes of a history share. */
export interface ModelWorld {
  readonly sqs: ModelSqs;
  readonly table: ModelTable;
  readonly ledger: Ledger;
  readonly random: Random;
  readonly leaseSeconds: number;
  /** The longest that a request, or its answer, is under way where nothing is wrong. */
  readonly latencyMs: number;
  /** What happens to the next request. */
  readonly nextFault: () => Fault;
  /** Whether the task store answers at this moment. */
  readonly storeAnswers: () => boolean;
}
