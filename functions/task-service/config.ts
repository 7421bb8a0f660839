import { parseConfig, serverVariables, sharedVariables } from 'baton-tasks/internal/process/config';
import * as z from 'zod';

const variables = z.object(sharedVariables);

/** Reads what the service is configured with. @throws ConfigError naming each variable that is missing or wrong */
export function readConfig(environment: NodeJS.ProcessEnv): z.output<typeof variables> {
  return parseConfig(variables, environment);
}

/** Reads where the container's server listens. @throws ConfigError naming each variable that is wrong */
export function readServerConfig(environment: NodeJS.ProcessEnv) {
  return parseConfig(serverVariables(8003), environment);
}
