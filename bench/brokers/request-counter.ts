import type { RequestCounts } from './counting-server.ts';

/** What a server was asked for; it hands it to the process that started it, and ends with that. */
export class RequestCounter {
  #counts: Record<string, number> = {};

  /** Says where the server listens, and answers from now on. */
  serve(endpoint: string): void {
    process.send?.({ endpoint });
    process.on('message', () => process.send?.(this.#take()));
    process.once('disconnect', () => process.exit(0));
    // The terminal's interrupt is for the bench, which ends this process when it needs it no more
    process.on('SIGINT', () => undefined);
  }

  /**
   * Counts a request.
   *
   * @param target - its header `x-amz-target`: `AmazonSQS.ReceiveMessage`
   * @param of - the queue or table
   */
  count(target: string | string[] | undefined, of?: string): void {
    const action = String(target).split('.')[1] ?? 'unknown';
    this.#add(action);
    if (of !== undefined) this.#add(`${action} ${of}`);
  }

  #add(name: string): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + 1;
  }

  #take(): RequestCounts {
    const taken = this.#counts;
    this.#counts = {};
    return taken;
  }
}
