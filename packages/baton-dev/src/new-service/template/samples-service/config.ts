import { retentionDays } from 'baton-tasks/http';
import { text } from 'baton-tasks/service';
import * as z from 'zod';

/** The service's own environment variables. */
export const variables = z.object({
  SAMPLES_TABLE: text("the name of this service's table"),
  /** How long a sample is kept after its last change. */
  SAMPLES_RETENTION_DAYS: retentionDays(400),
});
