import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import { NewServiceError, type ServiceName } from './service-name.ts';

/**
 * A compose file with one more service, after the last one whose name ends in -service; all else stays as it is.
 *
 * @throws NewServiceError when the file is not of the form that it has here
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
    ports: ['127.0.0.1:\${${plural.toUpperCase()}_SERVICE_PORT:-${port}}:8000']`;
  const changed = lines.toSpliced(end, 0, entry).join('\n');
  if (last >= 0 && end >= 0 && hasOneMore(text, changed, `${plural}-service`)) return changed;
  throw new NewServiceError(
    'docker-compose.localstack.yml has another form than expected: a service after the other, each with an empty line behind',
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

/** The root's .env.example with the service's port after those of the others; as it is where it has none. */
export function withPort(text: string, { plural }: ServiceName, port: number): string {
  const lines = text.split('\n');
  const last = lines.findLastIndex((line) => /^[A-Z0-9_]+_SERVICE_PORT=/.test(line));
  return last < 0
    ? text
    : lines.toSpliced(last + 1, 0, `${plural.toUpperCase()}_SERVICE_PORT=${port}`).join('\n');
}
