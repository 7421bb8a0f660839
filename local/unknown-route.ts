import { createApi } from '@baton/common/http/api';
import { createLogger } from '@baton/common/telemetry/logger';

/** Answers what no service's prefix matches with the same problem+json as any service would. */
export const handler = createApi({
  routes: [],
  logger: createLogger({ service: 'local', level: process.env['LOG_LEVEL'] ?? 'info' }),
});
