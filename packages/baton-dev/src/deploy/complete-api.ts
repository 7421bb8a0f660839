// Completes the API of a deploy with what its functions declare.
import { readParts } from '../stack/part.ts';
import type { Serverless } from '../stack/serverless.ts';
import { StackError } from '../stack/stack-error.ts';
import { isClosed, routeEvents } from './gateway.ts';
import { loadFunctions } from './loaded-functions.ts';

const UNDECIDED = `The deploy does not say who may call the API. Expected the issuer of the callers' tokens, and whom tokens are meant for:
  --param="jwt-issuer=https://login.example.com" --param="jwt-audience=my-api"
or, if everybody may call everything:
  --param="public=yes"`;

/**
 * Checks a deploy before it is packaged, and adds the routes of each API to its function, with their authorizers.
 *
 * @throws StackError if the deploy does not say who may call the API, or a function could not start
 */
export async function completeApi({ serviceDir, service }: Serverless): Promise<void> {
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
  for (const [name, { events }] of Object.entries(functions))
    if (events.some(isClosed)) events.push(...routeEvents(routes.get(name) ?? []));
}
