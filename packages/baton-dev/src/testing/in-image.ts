/** The variable that has programs run in their images: what stands before the image's name, such as `baton/`. */
export const IMAGE_PREFIX = 'TEST_IMAGE_PREFIX';

/** A command, and the arguments that it is given. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * How to run a service or the worker in its image rather than from its source: as locked down as compose runs it, but on
 * the network of this machine, where the test's emulators are. Undefined for every other program, and where
 * TEST_IMAGE_PREFIX is not set.
 *
 * @param file - such as `functions/payments-service/main.ts`
 */
export function inImage(file: string, environment: Readonly<Record<string, string>>): Command | undefined {
  const prefix = process.env[IMAGE_PREFIX];
  const [, name] = /^(?:functions\/)?([a-z-]+)\/main\.ts$/.exec(file) ?? [];
  if (prefix === undefined || name === undefined) return undefined;
  const locked = ['--read-only', '--tmpfs=/tmp', '--cap-drop=ALL', '--security-opt=no-new-privileges'];
  // Images listen at every address, which here would be this machine's
  const own = { HOST: '127.0.0.1', HEALTH_HOST: '127.0.0.1', ...environment };
  const variables = Object.entries(own).map(([key, value]) => `--env=${key}=${value}`);
  return {
    command: 'docker',
    args: ['run', '--rm', '--network=host', ...locked, ...variables, `${prefix}${name}`],
  };
}
