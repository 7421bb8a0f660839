// Programs that tests run as processes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ROOT } from '../stack/root.ts';
import { eventually } from './eventually.ts';
import { inImage } from './in-image.ts';

const FIRST_PORT = 10_000;
const PORTS = 22_000;
/** The compile cache of all programs of a run. Otherwise each start would spend most of its time compiling. */
const COMPILED = join(ROOT, 'node_modules/.cache/compiled');

/** The character of embedded brokers in this run of tests. */
const SQS = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => name === 'SQS_SEED' || name === 'SQS_HOSTILE'),
);

/** Configures a program. */
export interface ProgramOptions {
  /** The file descriptor of its standard output. Then `output` has only its standard error. */
  readonly stdout?: number;
  /** A limit of its process, such as `ulimit -n 64`. */
  readonly limit?: string;
}

/**
 * A program that a test runs as a process. From the test's environment it gets only PATH, HOME, and the character of
 * embedded brokers. If TEST_IMAGE_PREFIX is set, services and the worker run in their images.
 */
export class Program {
  readonly #child;
  readonly #chunks: string[] = [];

  /** @param file - from the repository's root, such as `worker/main.ts` */
  constructor(
    file: string,
    environment: Readonly<Record<string, string>>,
    args: readonly string[] = [],
    { stdout, limit }: ProgramOptions = {},
  ) {
    const source = { command: process.execPath, args: [file, ...args] };
    const { command, args: all } = inImage(file, environment) ?? source;
    const limited = limit ? ['sh', '-c', `${limit} && exec "$@"`, 'sh'] : [];
    const [first = command, ...others] = [...limited, command, ...all];
    this.#child = spawn(first, others, {
      cwd: ROOT,
      stdio: ['pipe', stdout ?? 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        NODE_COMPILE_CACHE: COMPILED,
        ...SQS,
        ...environment,
      },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => this.#chunks.push(chunk));
    }
  }

  /** Its process. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Its output so far. */
  get output(): string {
    return this.#chunks.join('');
  }

  /** Its JSON log lines so far. */
  get lines(): Record<string, unknown>[] {
    const lines = this.output.split('\n').filter((line) => line.startsWith('{'));
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Resolves once it has written `text`. Rejects with its output if it ends before. */
  async says(text: string, withinMs = 20_000): Promise<void> {
    const said = await eventually(
      `"${text}"`,
      () => this.output.includes(text) || this.#child.exitCode !== null,
      withinMs,
    ).catch((error: unknown) => error);
    if (!this.output.includes(text))
      throw new Error(`The program did not write "${text}":\n${this.output}`, { cause: said });
  }

  /** Sends a signal, without waiting. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal, if it still runs, and resolves to its exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal);
    return this.ended();
  }

  /** Resolves to its exit code once it has ended. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    return this.#child.exitCode;
  }
}

/**
 * Finds a free port below those that systems give to outgoing connections, so that no connection takes it before the program
 * does.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    const server = createServer().listen(port, '127.0.0.1');
    const free = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.close();
    if (free) return port;
  }
}

/** Finds different free ports for an embedded runtime, by the variables that set them. */
export async function freePorts(): Promise<Record<string, string>> {
  const names = ['HTTP_PORT', 'LAMBDA_PORT', 'SQS_PORT', 'DYNAMODB_PORT', 'HEALTH_PORT'];
  const ports = new Set<number>();
  while (ports.size < names.length) ports.add(await freePort());
  return Object.fromEntries([...ports].map((port, index) => [names[index], String(port)]));
}
