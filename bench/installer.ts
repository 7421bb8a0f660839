import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const INSTALL_MS = 600_000;
const MAX_OUTPUT_BYTES = 64 * 2 ** 20;
const MAX_REASON_CHARACTERS = 200;

const call = promisify(execFile);

/** Runs a program that installs packages. @throws Error with one line that says what is missing or what failed */
export async function runInstaller(program: string, args: readonly string[], cwd: string): Promise<void> {
  try {
    await call(program, [...args], { cwd, timeout: INSTALL_MS, maxBuffer: MAX_OUTPUT_BYTES });
  } catch (error) {
    throw new Error(reasonOf(error, program, args), { cause: error });
  }
}

function reasonOf(error: unknown, program: string, args: readonly string[]): string {
  const { code, stderr = '', stdout = '' } = error as { code?: unknown; stderr?: string; stdout?: string };
  if (code === 'ENOENT') return `no ${program} on this machine`;
  const said = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
  const reason = said.findLast((line) => /error/i.test(line)) ?? said.at(-1) ?? `ended with ${String(code)}`;
  const what = [program.slice(program.lastIndexOf('/') + 1), ...args.slice(0, 3)].join(' ');
  return `${what} failed: ${reason.trim().slice(0, MAX_REASON_CHARACTERS)}`;
}
