import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const MAX_OUTPUT_BYTES = 50_000_000;

const call = promisify(execFile);

/** What a call of `docker` has written. */
export interface Said {
  readonly out: string;
  /** Errors, and the progress of builds. */
  readonly err: string;
}

/** Calls `docker`, and resolves to what it wrote. @throws Error with its arguments and with what it wrote, when it fails */
export async function dockerSaid(...args: readonly string[]): Promise<Said> {
  try {
    const { stdout, stderr } = await call('docker', args, { maxBuffer: MAX_OUTPUT_BYTES });
    return { out: stdout.trim(), err: stderr };
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string };
    throw new Error(`docker ${args.join(' ')}\n${stdout}${stderr}`.trim(), { cause });
  }
}

/** Calls `docker`, and resolves to its standard output. @throws Error with its arguments and with what it wrote, when it fails */
export async function docker(...args: readonly string[]): Promise<string> {
  const { out } = await dockerSaid(...args);
  return out;
}

/** What keeps containers from running here, in words; undefined where an engine answers. */
export async function missingEngine(): Promise<string | undefined> {
  try {
    await docker('version', '--format', '{{.Server.Version}}');
    return undefined;
  } catch (error) {
    const [, ...said] = (error as Error).message.split('\n');
    return `a container engine that answers \`docker version\`: ${said.join(' ').trim() || 'there is no docker'}`;
  }
}
