import { healthCheck } from '../contracts/health.ts';
import { implement } from 'baton-tasks';

/** Answers a health check with who ran it. */
export const healthCheckTask = implement(healthCheck, (_payload, { worker }) => ({
  workerId: worker.id,
  version: worker.version,
  time: new Date().toISOString(),
}));
