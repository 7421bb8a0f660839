// The contracts that what follows a task may be sent to.
import { UnknownLinkError } from '../task/errors.ts';
import { carries } from '../task/lane.ts';
import type { Listener } from '../task/next-task.ts';
import { isEndListener, type TaskContract } from '../task/task.ts';

/**
 * The links that this process follows: only to the contracts that its code declares, on their own queues and lanes. The rows
 * of the task store name what follows a task. Without this check, a service that may write a row could have the process send
 * to any queue that the process may use.
 */
export class KnownLinks {
  readonly #contracts = new Map<string, TaskContract>();

  /** @param contracts - those that the code declares. The listeners that they name count too */
  constructor(contracts: readonly TaskContract[]) {
    this.add(...contracts);
  }

  /** Adds contracts that the code names later, when it sends. The listeners that they name count too. */
  add(...contracts: readonly TaskContract[]): void {
    for (const contract of contracts)
      for (const each of [contract, contract.onEnd]) if (each) this.#contracts.set(each.name, each);
  }

  /**
   * Checks the link to the task that follows another one.
   *
   * @param place - of the link, for the error: `the task after payments.pay`
   * @throws UnknownLinkError if no contract of the code declares it
   */
  checkNext({ task, queue }: Listener, place: string): void {
    const contract = this.#contracts.get(task);
    if (contract?.tracked && carries(contract, queue)) return;
    throw new UnknownLinkError({ task, queue }, place);
  }

  /** Checks the link to a listener. Parameters and errors are those of `checkNext`. */
  checkListener({ task, queue }: Listener, place: string): void {
    const contract = this.#contracts.get(task);
    if (isEndListener(contract) && carries(contract, queue)) return;
    throw new UnknownLinkError({ task, queue }, place);
  }
}
