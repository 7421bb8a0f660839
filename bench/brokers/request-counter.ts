import type { RequestCounts } from './counting-server.ts';

/** Counts a server's requests and sends the counts to the parent process. Ends the server with the parent process. */
export class RequestCounter {
  #counts: Record<string, number> = {};

  /** Sends the server's endpoint to the parent process, and answers its requests for counts. */
  serve(endpoint: string): void {
    process.send?.({ endpoint });
    process.on('message', () => process.send?.(this.#take()));
    process.once('disconnect', () => process.exit(0));
    // The terminal's interrupt is for the bench, which ends this process when it no longer needs it
    process.on('SIGINT', () => undefined);
  }

  /**
   * Counts a request.
   *
   * @param target - the header `x-amz-target`: `AmazonSQS.ReceiveMessage`
   * @param of - the name of the queue or table
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
