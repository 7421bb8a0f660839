// Checks that ports are free.
import { createServer } from 'node:net';

/** The address of all servers of the embedded runtime. Only this machine reaches it. */
export const HOST = '127.0.0.1';

/**
 * Checks that ports can be listened at, before anything starts.
 *
 * @param ports - by the names of the variables that set them
 * @throws Error that names each unusable port, the reason and its variable
 */
export async function checkPorts(ports: Readonly<Record<string, number>>): Promise<void> {
  const taken = new Map<number, string>();
  const problems: string[] = [];
  for (const [variable, port] of Object.entries(ports)) {
    const other = taken.get(port);
    if (other) problems.push(`${variable} and ${other} are both ${port}; each needs a port of its own.`);
    taken.set(port, variable);
    const error = other ? undefined : await errorOfListening(port);
    if (error?.code === 'EADDRINUSE') {
      problems.push(`Port ${port} is taken by another program; set ${variable} to a free one.`);
    } else if (error) {
      problems.push(`Port ${port} (${variable}) cannot be listened at: ${error.message}`);
    }
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

function errorOfListening(port: number): Promise<NodeJS.ErrnoException | undefined> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.ErrnoException | undefined>();
  const server = createServer();
  server.once('error', resolve);
  server.listen(port, HOST, () => server.close(() => resolve(undefined)));
  return promise;
}
