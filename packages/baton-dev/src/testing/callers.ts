// All kinds of callers of a service, for tests of who may do what.
import { TestIssuer } from 'baton-tasks/testing';
import { RunningService } from './service.ts';

/** The callers: without a token, two customers, an operator, somebody without scopes, and anybody while authentication is off. */
export const CALLERS = ['no token', 'customer A', 'customer B', 'operator', 'no scopes', 'off'] as const;

/** A caller. */
export type CallerName = (typeof CALLERS)[number];

const SCOPES: Readonly<Partial<Record<CallerName, readonly string[]>>> = {
  'customer A': ['shop'],
  'customer B': ['shop', 'operators'],
  operator: ['shop', 'operator'],
  'no scopes': [],
};

/** A service that checks tokens, the same one with authentication off, and those who call them. */
export class Callers {
  readonly #issuer: TestIssuer;
  readonly #checked: RunningService;
  readonly #open: RunningService;

  private constructor(issuer: TestIssuer, checked: RunningService, open: RunningService) {
    this.#issuer = issuer;
    this.#checked = checked;
    this.#open = open;
  }

  /** Starts the service twice. @param name - its folder in `functions` */
  static async start(name: string, environment: Readonly<Record<string, string>>): Promise<Callers> {
    const issuer = await TestIssuer.start();
    const [checked, open] = await Promise.all([
      RunningService.start(name, { ...environment, ...issuer.environment }),
      RunningService.start(name, { ...environment, AUTHENTICATION: 'none' }),
    ]);
    return new Callers(issuer, checked, open);
  }

  /** Sends a request as a caller, whose name is his token's subject. @param route - such as `GET /things` */
  async ask(
    caller: CallerName,
    route: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const [method = 'GET', path = '/'] = route.split(' ');
    const service = caller === 'off' ? this.#open : this.#checked;
    const scopes = SCOPES[caller];
    return fetch(service.url + path, {
      method,
      headers: {
        ...(scopes && { authorization: `Bearer ${await this.#issuer.token({ subject: caller, scopes })}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  /** The status that each caller gets, in the order of CALLERS. */
  async statuses(route: string, body?: unknown): Promise<number[]> {
    const responses = await Promise.all(CALLERS.map((caller) => this.ask(caller, route, body)));
    await Promise.all(responses.map((response) => response.text()));
    return responses.map(({ status }) => status);
  }

  /** Stops the services and the issuer. */
  async stop(): Promise<void> {
    await Promise.all([this.#checked.program.stop(), this.#open.program.stop()]);
    await this.#issuer.stop();
  }
}
