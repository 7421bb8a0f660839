import { hostname } from 'node:os';
import { RejectTask } from 'baton-tasks/internal/task/errors';
import { implement, Implementations } from 'baton-tasks/internal/task/implementation';
import { createLambdaConsumer } from 'baton-tasks/internal/lambda/lambda-consumer';
import { StoreTracker } from 'baton-tasks/internal/tracked/store-tracker';
import { recordSample, recordSampleEnd } from '../contracts/samples.ts';
import packageJson from './package.json' with { type: 'json' };
import { logger, queueUrls, samples, sqs, tasks, taskStore, unknownTaskPatienceSeconds } from './service.ts';

/** How long a crashed function keeps a task from being begun again. */
const CLAIM_SECONDS = 30;

const record = implement(recordSample, async ({ sampleId }, { logger: line }) => {
  const recordedAt = await samples.record(sampleId);
  if (recordedAt === undefined) throw new RejectTask(`There is no sample ${sampleId}`);
  line.info({ sampleId }, 'sample recorded');
  return { recordedAt };
});

const recordEnd = implement(recordSampleEnd, async (end, { logger: line }) => {
  const recorded = await samples.recordEnd(end);
  line.info({ sampleId: end.taskId, recorded }, `the task of the sample ${end.state}`);
  return { recorded };
});

/** Consumes the queue `samples`. */
export const records = createLambdaConsumer({
  sqs,
  queueUrls,
  send: tasks.send,
  tracker: new StoreTracker({
    store: taskStore,
    forward: tasks.forward,
    leaseSeconds: CLAIM_SECONDS,
    logger,
  }),
  logger,
  worker: { id: `samples-service@${hostname()}`, version: packageJson.version },
  unknownTaskPatienceSeconds,
  implementations: new Implementations([record, recordEnd]),
});
