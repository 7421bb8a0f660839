// The routing of paths and functions to services.
import { stagePrefixOf } from '../stack/names.ts';
import type { Functions } from '../stack/part.ts';
import { DEFAULT_TIMEOUT_SECONDS } from '../stack/serverless.ts';

/** A function that consumes queues. In containers it runs in the process of its service. */
export interface Consumer {
  /** The service's folder, which is also the name of its container. */
  readonly service: string;
  /** The name of its export in handlers.ts. */
  readonly handler: string;
  readonly timeoutSeconds: number;
}

/** The services by the paths and functions that they serve. */
export interface Routing {
  /** The services, by the first part of their paths, such as `payments`. */
  readonly services: ReadonlyMap<string, string>;
  /** The functions that consume queues, by their names on AWS. */
  readonly consumers: ReadonlyMap<string, Consumer>;
}

/**
 * Derives the routing from the events of all functions, so that a new service needs no further configuration.
 *
 * @throws Error that names a function with an invalid route or handler, or a prefix that two services have
 */
export function routingOf(functions: Functions, stage: string): Routing {
  const services = new Map<string, string>();
  const consumers = new Map<string, Consumer>();
  for (const [key, { handler, timeout, events = [] }] of Object.entries(functions)) {
    const { service, name } = placeOf(handler);
    if (service === undefined) continue;
    for (const { httpApi } of events.filter((event) => event.httpApi !== undefined)) {
      const prefix = prefixOf(httpApi, `functions/${service}/functions.yml, ${key}`);
      const other: string = services.get(prefix) ?? service;
      if (other !== service)
        throw new Error(
          `/${prefix} is a prefix of ${other} and of ${service}: expected one service for each prefix`,
        );
      services.set(prefix, service);
    }
    if (events.some(({ sqs }) => sqs)) {
      const timeoutSeconds = timeout ?? DEFAULT_TIMEOUT_SECONDS;
      consumers.set(stagePrefixOf(stage) + key, { service, handler: name, timeoutSeconds });
    }
  }
  return { services, consumers };
}

function prefixOf(httpApi: unknown, where: string): string {
  const [, prefix] = /^ANY \/([\w-]+)(?:\/\{proxy\+\})?$/.exec(String(httpApi)) ?? [];
  if (prefix) return prefix;
  throw new Error(`${where}: expected a route such as ANY /payments, got ${JSON.stringify(httpApi)}`);
}

/** Reads a handler: `functions/payments-service/handlers.records` is the export `records` of payments-service. */
function placeOf(handler: string): { readonly service: string | undefined; readonly name: string } {
  const [, service] = /^functions\/([^/]+)\//.exec(handler) ?? [];
  return { service, name: handler.slice(handler.lastIndexOf('.') + 1) };
}
