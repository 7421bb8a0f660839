import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A request that a page sends to a server that is not its own. */
export interface Attack {
  readonly name: string;
  readonly url: string;
  /** How the page's `fetch` sends it. */
  readonly init?: Readonly<Record<string, unknown>>;
}

/** What a page learned from each of its requests, by their names: `refused`, or the status and text that it could read. */
export type Learned = Readonly<Record<string, string>>;

/** The web server of an attacker: its page sends requests to other servers, and reports what it learned. */
export class Attacker {
  readonly #server: Server;
  readonly #learned = Promise.withResolvers<Learned>();

  constructor(attacks: readonly Attack[]) {
    const page = `<!doctype html><script type="module">
      const learned = {};
      for (const { name, url, init } of ${JSON.stringify(attacks)}) {
        learned[name] = await fetch(url, init).then(
          async (response) => (response.type === 'opaque' ? 'sent' : response.status + ' ' + (await response.text())),
          () => 'refused',
        );
      }
      await fetch('/learned', { method: 'POST', body: JSON.stringify(learned) });
    </script>`;
    this.#server = createServer((request, response) => {
      if (request.url === '/learned')
        void text(request).then((report) => this.#learned.resolve(JSON.parse(report) as Learned));
      response.setHeader('content-type', 'text/html').end(request.url === '/' ? page : '');
    });
  }

  /** Listens at loopback. Resolves to the port. */
  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves to what the page learned. */
  get learned(): Promise<Learned> {
    return this.#learned.promise;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
