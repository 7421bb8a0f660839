import { hostname } from 'node:os';
import { RejectTask } from '@baton/common/queue/errors';
import { implement, Implementations } from '@baton/common/queue/implementation';
import { createLambdaConsumer } from '@baton/common/queue/lambda-consumer';
import { recordSample } from '../contracts/samples.ts';
import packageJson from './package.json' with { type: 'json' };
import { logger, queueUrls, samples, sqs, tasks, unknownTaskPatienceSeconds } from './service.ts';

const record = implement(recordSample, async ({ sampleId }, { logger: line }) => {
  const recordedAt = await samples.record(sampleId);
  if (recordedAt === undefined) throw new RejectTask(`There is no sample ${sampleId}`);
  line.info({ sampleId }, 'sample recorded');
  return { recordedAt };
});

/** Consumes the queue `samples`. */
export const records = createLambdaConsumer({
  sqs,
  queueUrls,
  send: tasks.send,
  logger,
  worker: { id: `samples-service@${hostname()}`, version: packageJson.version },
  unknownTaskPatienceSeconds,
  implementations: new Implementations([record]),
});
