import { parseConfig, serverVariables, sharedVariables, text } from 'baton-tasks/internal/process/config';
import * as z from 'zod';

const variables = z.object({ ...sharedVariables, SAMPLES_TABLE: text("the name of this service's table") });

/** Reads what the service is configured with. @throws ConfigError naming each variable that is missing or wrong */
export function readConfig(environment: NodeJS.ProcessEnv): z.output<typeof variables> {
  return parseConfig(variables, environment);
}

/** Reads where the container's server listens. @throws ConfigError naming each variable that is wrong */
export function readServerConfig(environment: NodeJS.ProcessEnv) {
  return parseConfig(serverVariables(8999), environment);
}
