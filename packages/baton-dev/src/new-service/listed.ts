// Adds a service to files that list services.
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import { NewServiceError, type ServiceName } from './service-name.ts';

/**
 * Adds a service to a compose file, after the last one whose name ends in -service. Changes nothing else.
 *
 * @throws NewServiceError if the file has another form
 */
export function withComposeEntry(text: string, { plural }: ServiceName, port: number): string {
  const lines = text.split('\n');
  const last = lines.findLastIndex((line) => /^ {2}[a-z0-9-]+-service:$/.test(line));
  const end = lines.findIndex((line, index) => index > last && line === '');
  const entry = `
  ${plural}-service:
    <<: *service
    image: baton/${plural}-service:\${IMAGE_TAG:-latest}
    build: { context: ., dockerfile: functions/${plural}-service/Dockerfile, target: server, args: *args }
    environment:
      <<: *service-environment
      ${plural.toUpperCase()}_TABLE: baton-dev-${plural}
      ${plural.toUpperCase()}_RETENTION_DAYS: 400
    ports: ['127.0.0.1:\${${plural.toUpperCase()}_SERVICE_PORT:-${port}}:8000']`;
  const changed = lines.toSpliced(end, 0, entry).join('\n');
  if (last >= 0 && end >= 0 && hasOneMore(text, changed, `${plural}-service`)) return changed;
  throw new NewServiceError(
    'docker-compose.localstack.yml has another form: expected services, each followed by an empty line',
  );
}

function hasOneMore(before: string, after: string, name: string): boolean {
  try {
    const { [name]: added, ...others } = servicesOf(after);
    return added !== undefined && isDeepStrictEqual(others, servicesOf(before));
  } catch {
    return false;
  }
}

function servicesOf(text: string): Record<string, unknown> {
  const { services = {} } = parse(text, { merge: true }) as { services?: Record<string, unknown> };
  return services;
}

/**
 * Adds contracts to the list of all contracts, after the last one. Changes nothing else.
 *
 * @param text - of `common/contracts/all.ts`
 * @param file - the new file beside it, such as `payments.ts`
 * @param contracts - the text of that file
 * @throws NewServiceError if the list has another form
 */
export function withContracts(text: string, file: string, contracts: string): string {
  const names = [...contracts.matchAll(/^export const (\w+) = defineTask\(/gm)].map(([, name = '']) => name);
  const list = /(allContracts\b[^=]*= \[)([^\]]*)(\];)/;
  if (!list.test(text))
    throw new NewServiceError('common/contracts/all.ts has another form: expected allContracts = [...];');
  const added = text.replace(list, (_all, begin: string, listed: string, end: string) => {
    const known = listed.trim().replace(/,$/, '');
    return `${begin}${[known, ...names].filter((part) => part !== '').join(', ')}${end}`;
  });
  const lines = added.split('\n');
  const last = lines.findLastIndex((line) => /^(import |\} from )/.test(line));
  return lines.toSpliced(last + 1, 0, `import { ${names.join(', ')} } from './${file}';`).join('\n');
}

/** Adds the service's port to the root's .env.example, after the other ports. Changes nothing if it has none. */
export function withPort(text: string, { plural }: ServiceName, port: number): string {
  const lines = text.split('\n');
  const last = lines.findLastIndex((line) => /^[A-Z0-9_]+_SERVICE_PORT=/.test(line));
  return last < 0
    ? text
    : lines.toSpliced(last + 1, 0, `${plural.toUpperCase()}_SERVICE_PORT=${port}`).join('\n');
}
