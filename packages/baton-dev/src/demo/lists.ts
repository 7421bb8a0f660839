// Removes the demo from files that list services, ports, imports or scripts.
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import type { Source } from '../sources/source.ts';
import { RemovalError } from './removal-error.ts';

/**
 * Removes services from a compose file, and changes nothing else.
 *
 * @throws RemovalError unless each service has an entry with an empty line behind it
 */
export function withoutComposeEntries(text: string, names: readonly string[]): string {
  return names.reduce((before, name) => {
    const lines = before.split('\n');
    const begin = lines.indexOf(`  ${name}:`);
    const end = lines.indexOf('', begin);
    const after = begin < 0 || end < 0 ? before : lines.toSpliced(begin, end - begin + 1).join('\n');
    const { [name]: _gone, ...others } = servicesOf(before);
    if (isDeepStrictEqual(servicesOf(after), others)) return after;
    throw new RemovalError(
      `docker-compose.localstack.yml: expected an entry of ${name} with an empty line behind it`,
    );
  }, text);
}

function servicesOf(text: string): Record<string, unknown> {
  const { services = {} } = parse(text, { merge: true }) as { services?: Record<string, unknown> };
  return services;
}

/** The root's .env.example without the ports of some services. */
export function withoutPorts(text: string, names: readonly string[]): string {
  const variables = names.map((name) => `${name.replaceAll('-', '_').toUpperCase()}_PORT=`);
  const lines = text.split('\n');
  return lines.filter((line) => !variables.some((variable) => line.startsWith(variable))).join('\n');
}

/**
 * Removes the imports of some files from a file that lists their exports, with all uses of the imported names.
 *
 * @param isGone - whether the file that an import means goes
 */
export function withoutImports({ text, imports }: Source, isGone: (request: string) => boolean): string {
  const gone = imports.filter(({ request }) => isGone(request));
  const names = gone.flatMap((each) => each.names).flatMap(({ local }) => local ?? []);
  const lines = text.split('\n');
  const requests = gone.map(({ request }) => `'${request}'`);
  const kept = lines.filter((line) => !requests.some((request) => line.includes(`from ${request}`)));
  return names.reduce(
    (code, name) => code.replaceAll(new RegExp(`\\b${name}\\b,?[ \\n]*`, 'g'), ''),
    kept.join('\n'),
  );
}

/** Removes the scripts of package.json that run a deleted file, and their calls in other scripts. */
export function withoutScripts(
  scripts: Readonly<Record<string, string>>,
  isGone: (path: string) => boolean,
): Record<string, string> {
  const gone = Object.entries(scripts)
    .filter(([, command]) => command.split(' ').some(isGone))
    .map(([name]) => name);
  const called = (command: string): boolean => gone.some((name) => command === `npm run ${name}`);
  const left = Object.entries(scripts).filter(([name]) => !gone.includes(name));
  return Object.fromEntries(
    left.map(([name, command]) => [
      name,
      command
        .split(' && ')
        .filter((part) => !called(part))
        .join(' && '),
    ]),
  );
}
