// Completes the API of a deploy with what its functions declare.
import { readParts } from '../stack/part.ts';
import type { Serverless } from '../stack/serverless.ts';
import { StackError } from '../stack/stack-error.ts';
import { HTTP_STAGE, isClosed, routeEvents, routeSettings, type RouteSettings } from './gateway.ts';
import { loadFunctions } from './loaded-functions.ts';

const UNDECIDED = `The deploy does not say who may call the API. Expected the issuer of the callers' tokens, and whom tokens are meant for:
  --param="jwt-issuer=https://login.example.com" --param="jwt-audience=my-api"
or, if everybody may call everything:
  --param="public=yes"`;

/**
 * Checks a deploy before it is packaged, and adds the routes of each API to its function, with their authorizers. In an API
 * without authorizers only the routes that declare a throttle are added: the prefixes have the others.
 *
 * @throws StackError if the deploy does not say who may call the API, or a function could not start
 */
export async function completeApi(serverless: Serverless): Promise<void> {
  const { serviceDir, service } = serverless;
  const { functions, provider } = service;
  if (Object.values(functions).some(({ environment }) => environment?.['AUTHENTICATION'] === ''))
    throw new StackError(UNDECIDED);
  const routes = await loadFunctions({
    root: serviceDir,
    functions,
    environment: provider.environment ?? {},
    region: provider.region,
    parts: readParts(provider.stage, serviceDir),
  });
  const settings: Record<string, RouteSettings> = {};
  for (const [name, { events }] of Object.entries(functions)) {
    // A REST API has no such routes
    if (!events.some(({ httpApi }) => httpApi !== undefined)) continue;
    const declared = routes.get(name) ?? [];
    const open = declared.flatMap(({ method, path, throttle }) =>
      throttle ? [{ method, path, throttle, access: 'public' as const }] : [],
    );
    events.push(...routeEvents(events.some(isClosed) ? declared : open));
    Object.assign(settings, routeSettings(declared));
  }
  if (Object.keys(settings).length > 0) limitRoutes(serverless, settings);
}

/** Adds settings of routes to the stage. API Gateway refuses a stage with settings of a route that is not there yet. */
function limitRoutes(serverless: Serverless, settings: Readonly<Record<string, RouteSettings>>): void {
  const { extensions } = serverless.service.resources ?? {};
  const { naming } = serverless.getProvider('aws');
  const stage = extensions?.[HTTP_STAGE];
  if (!extensions || !stage) return;
  extensions[HTTP_STAGE] = {
    Properties: { ...stage.Properties, RouteSettings: settings },
    DependsOn: Object.keys(settings).map((key) => naming.getHttpApiRouteLogicalId(key)),
  };
}
