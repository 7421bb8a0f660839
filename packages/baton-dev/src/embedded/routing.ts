import { parts, servicesFunctions } from './functions-yml.ts';

/** The provider's own of serverless.yml. */
const DEFAULT_TIMEOUT_SECONDS = 29;

/** A function that consumes queues, and where it runs in containers: in its service's process. */
export interface Consumer {
  /** The service's folder, by which its container is found. */
  readonly service: string;
  /** The name that handlers.ts exports it by. */
  readonly handler: string;
  readonly timeoutSeconds: number;
}

/** What leads where, as the services' functions.yml say it. */
export interface Routing {
  /** The services, by the first part of the paths that lead to them, such as `orders`. */
  readonly services: ReadonlyMap<string, string>;
  /** The functions that consume queues, by the names that they have on AWS. */
  readonly consumers: ReadonlyMap<string, Consumer>;
}

/**
 * Reads every functions/<service>/functions.yml, so that a new service is reached without a line anywhere else.
 *
 * @throws Error naming the function whose route or handler is not understood, and the prefix that two services have
 */
export function readRouting(stage: string, folders: readonly string[] = parts): Routing {
  const services = new Map<string, string>();
  const consumers = new Map<string, Consumer>();
  for (const folder of folders.filter((part) => part.startsWith('functions/'))) {
    const service = folder.slice('functions/'.length);
    for (const [key, { handler, timeout, events }] of Object.entries(servicesFunctions([folder], stage))) {
      for (const { httpApi } of events.filter((event) => event.httpApi !== undefined)) {
        const prefix = prefixOf(httpApi, `${folder}/functions.yml, ${key}`);
        const other = services.get(prefix) ?? service;
        if (other !== service) throw new Error(`/${prefix} leads to ${other} and to ${service}`);
        services.set(prefix, service);
      }
      if (events.some(({ sqs }) => sqs)) {
        const timeoutSeconds = timeout ?? DEFAULT_TIMEOUT_SECONDS;
        consumers.set(`baton-${stage}-${key}`, { service, handler: exportOf(handler), timeoutSeconds });
      }
    }
  }
  return { services, consumers };
}

function prefixOf(httpApi: unknown, where: string): string {
  const [, prefix] = /^ANY \/([\w-]+)(?:\/\{proxy\+\})?$/.exec(String(httpApi)) ?? [];
  if (prefix) return prefix;
  throw new Error(`${where}: expected a route such as ANY /orders, not ${JSON.stringify(httpApi)}`);
}

/** `functions/order-service/handlers.orderOutcomes` is the export `orderOutcomes`. */
function exportOf(handler: string): string {
  return handler.slice(handler.lastIndexOf('.') + 1);
}
