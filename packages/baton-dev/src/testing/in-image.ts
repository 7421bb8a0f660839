/** The variable that lets programs run in their images: the prefix of the images' names, such as `baton/`. */
export const IMAGE_PREFIX = 'TEST_IMAGE_PREFIX';

/** A command, and the arguments that it is given. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * The command that runs a service or the worker in its image, with the same restrictions as in the compose file, but on this
 * machine's network, where the test's emulators are. Undefined for other programs, and if TEST_IMAGE_PREFIX is not set.
 *
 * @param file - such as `functions/payments-service/main.ts`
 */
export function inImage(file: string, environment: Readonly<Record<string, string>>): Command | undefined {
  const prefix = process.env[IMAGE_PREFIX];
  const [, name] = /^(?:functions\/)?([a-z-]+)\/main\.ts$/.exec(file) ?? [];
  if (prefix === undefined || name === undefined) return undefined;
  const locked = ['--read-only', '--tmpfs=/tmp', '--cap-drop=ALL', '--security-opt=no-new-privileges'];
  // Images listen at every address, which would be those of this machine here
  // The same port of health for all would be taken. Without one, a service's health is at its API's port
  const own = { HOST: '127.0.0.1', HEALTH_HOST: '127.0.0.1', HEALTH_PORT: '', ...environment };
  const variables = Object.entries(own).map(([key, value]) => `--env=${key}=${value}`);
  return {
    command: 'docker',
    args: ['run', '--rm', '--network=host', ...locked, ...variables, `${prefix}${name}`],
  };
}
