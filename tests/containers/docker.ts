import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const MAX_OUTPUT_BYTES = 50_000_000;

const call = promisify(execFile);

/** The output of a `docker` command. */
export interface Said {
  readonly out: string;
  /** Errors and the progress of builds. */
  readonly err: string;
}

/** Runs `docker`. Resolves to its output. @throws Error with its arguments and its output if it fails */
export async function dockerSaid(...args: readonly string[]): Promise<Said> {
  try {
    const { stdout, stderr } = await call('docker', args, { maxBuffer: MAX_OUTPUT_BYTES });
    return { out: stdout.trim(), err: stderr };
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string };
    throw new Error(`docker ${args.join(' ')}\n${stdout}${stderr}`.trim(), { cause });
  }
}

/** Runs `docker`. Resolves to its standard output. @throws Error with its arguments and its output if it fails */
export async function docker(...args: readonly string[]): Promise<string> {
  const { out } = await dockerSaid(...args);
  return out;
}

/** Why containers cannot run here, in words; undefined if an engine answers. */
export async function missingEngine(): Promise<string | undefined> {
  try {
    await docker('version', '--format', '{{.Server.Version}}');
    return undefined;
  } catch (error) {
    const [, ...said] = (error as Error).message.split('\n');
    return `a container engine that answers \`docker version\`: ${said.join(' ').trim() || 'there is no docker'}`;
  }
}
