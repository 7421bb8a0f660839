import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from 'baton-dev/testing/eventually';
import { Container } from './container.ts';
import { docker } from './docker.ts';
import { ROOT } from './image.ts';

/** AWS gives its emulator of the runtime interface no versions that Go knows: this is a commit of 2026-10-30. */
const VERSION = 'v0.0.0-20261030222936-bef5c4ba774d';
const PACKAGE = 'github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie';
const FOLDER = join(ROOT, 'node_modules/.cache/lambda-rie', VERSION);
const PROGRAM = join(FOLDER, 'aws-lambda-rie');
const INSIDE = '/usr/local/bin/aws-lambda-rie';
const PORT = 8080;
const PATH = '/2015-03-31/functions/function/invocations';
const FETCH_MS = 300_000;

const call = promisify(execFile);

/** What AWS's emulator of the runtime interface needs that this machine lacks; undefined where it can be run. */
export async function missingForLambdaEmulator(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'Linux, as its containers';
  if (existsSync(PROGRAM)) return undefined;
  const found = await call('go', ['version']).catch(() => undefined);
  return found ? undefined : 'Go';
}

/** A function: its image under AWS's emulator of the runtime interface, which does what Lambda does around it. */
export class EmulatedFunction {
  readonly container: Container;
  readonly #url: string;

  private constructor(container: Container, url: string) {
    this.container = container;
    this.#url = url;
  }

  /**
   * Starts a function, and has Go build the emulator where that was not done yet.
   *
   * @param handler - in place of the image's own, such as `handlers.deliveries`
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

  /** Invokes it. Resolves to what it answers, or to the `errorType` and `errorMessage` of a failure. */
  async invoke(event: unknown): Promise<Record<string, unknown>> {
    const answer = await fetch(this.#url + PATH, { method: 'POST', body: JSON.stringify(event) });
    const text = await answer.text();
    try {
      return JSON.parse(text) as Record<string, unknown>;
    } catch (cause) {
      throw new Error(`The function answered ${answer.status} ${text}`, { cause });
    }
  }
}

async function installEmulator(): Promise<void> {
  if (existsSync(PROGRAM)) return;
  const env = { ...process.env, GOBIN: FOLDER, CGO_ENABLED: '0' };
  await call('go', ['install', `${PACKAGE}@${VERSION}`], { cwd: '/', env, timeout: FETCH_MS });
}
