import { retentionDays } from 'baton-tasks/http';
import { text } from 'baton-tasks/service';
import * as z from 'zod';

/** The service's own environment variables. */
export const variables = z.object({
  ORDERS_TABLE: text("the name of this service's table"),
  /** How long an order is kept after its last change. */
  ORDER_RETENTION_DAYS: retentionDays(400),
});
