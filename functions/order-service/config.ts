import { text } from 'baton-tasks/service';
import * as z from 'zod';

/** The service's own environment variables. */
export const variables = z.object({ ORDERS_TABLE: text("the name of this service's table") });
