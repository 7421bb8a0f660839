// A service as a process, for tests.
import { freePort, Program } from './program.ts';

/** A service in a process, as its container runs it, without any other service. */
export class RunningService {
  readonly program: Program;
  readonly url: string;

  private constructor(program: Program, url: string) {
    this.program = program;
    this.url = url;
  }

  /**
   * Starts a service, and resolves once it listens.
   *
   * @param name - its folder in `functions`, or its main file from the repository's root
   */
  static async start(name: string, environment: Readonly<Record<string, string>>): Promise<RunningService> {
    const port = String(await freePort());
    const file = name.endsWith('.ts') ? name : `functions/${name}/main.ts`;
    // A test is one caller, and some send more than one may
    const program = new Program(file, { RATE_LIMIT_PER_SECOND: '0', ...environment, PORT: port });
    await program.says('listening');
    return new RunningService(program, `http://127.0.0.1:${port}`);
  }

  /** Posts a body, as JSON unless it is text already. */
  post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return fetch(this.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: text,
    });
  }

  /** The JSON object at a path. */
  async get(path: string): Promise<Record<string, unknown>> {
    return read(await fetch(this.url + path));
  }
}

/** The JSON object of an answer. */
export async function read(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>;
}
