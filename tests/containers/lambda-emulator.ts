import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from 'baton-dev/testing/eventually';
import { Container } from './container.ts';
import { docker } from './docker.ts';
import { ROOT } from 'baton-dev/stack/root';

/** The commit of 2026-10-30. AWS does not tag the emulator with versions that Go understands. */
const VERSION = 'v0.0.0-20261030222936-bef5c4ba774d';
const PACKAGE = 'github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie';
const FOLDER = join(ROOT, 'node_modules/.cache/lambda-rie', VERSION);
const PROGRAM = join(FOLDER, 'aws-lambda-rie');
const INSIDE = '/usr/local/bin/aws-lambda-rie';
const PORT = 8080;
const PATH = '/2015-03-31/functions/function/invocations';
const FETCH_MS = 300_000;

const call = promisify(execFile);

/** What this machine lacks for AWS's Lambda runtime interface emulator; undefined if it can run. */
export async function missingForLambdaEmulator(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'Linux';
  if (existsSync(PROGRAM)) return undefined;
  const found = await call('go', ['version']).catch(() => undefined);
  return found ? undefined : 'Go';
}

/** A function image under AWS's Lambda runtime interface emulator, which replaces Lambda. */
export class EmulatedFunction {
  readonly container: Container;
  readonly #url: string;

  private constructor(container: Container, url: string) {
    this.container = container;
    this.#url = url;
  }

  /**
   * Starts a function. Builds the emulator with Go first, if it is missing.
   *
   * @param handler - replaces the image's handler, such as `handlers.deliveries`
   */
  static async start(
    image: string,
    environment: Readonly<Record<string, string>>,
    options: readonly string[],
    handler?: string,
  ): Promise<EmulatedFunction> {
    await installEmulator();
    const inspected = await docker('image', 'inspect', '--format={{json .Config}}', image);
    const config = JSON.parse(inspected) as { Entrypoint: string[]; Cmd: string[] };
    const container = await Container.start({
      image,
      environment,
      ports: [PORT],
      options: [...options, `--volume=${PROGRAM}:${INSIDE}:ro`, `--entrypoint=${INSIDE}`],
      command: [...config.Entrypoint, ...(handler === undefined ? config.Cmd : [handler])],
    });
    const url = await container.url(PORT);
    await eventually('an emulator that listens', () =>
      fetch(url).then(
        () => true,
        () => false,
      ),
    );
    return new EmulatedFunction(container, url);
  }

  /** Invokes the function. Resolves to its response, or to the `errorType` and `errorMessage` of a failure. */
  async invoke(event: unknown): Promise<Record<string, unknown>> {
    const answer = await fetch(this.#url + PATH, { method: 'POST', body: JSON.stringify(event) });
    const text = await answer.text();
    try {
      return JSON.parse(text) as Record<string, unknown>;
    } catch (cause) {
      throw new Error(`the function answered ${answer.status} ${text}; expected JSON`, { cause });
    }
  }
}

async function installEmulator(): Promise<void> {
  if (existsSync(PROGRAM)) return;
  const env = { ...process.env, GOBIN: FOLDER, CGO_ENABLED: '0' };
  await call('go', ['install', `${PACKAGE}@${VERSION}`], { cwd: '/', env, timeout: FETCH_MS });
}
