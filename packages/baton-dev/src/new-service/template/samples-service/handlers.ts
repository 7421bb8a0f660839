import { implement, RejectTask } from 'baton-tasks';
import { createTrackedConsumer } from 'baton-tasks/service';
import { recordSample, recordSampleEnd } from '../contracts/samples.ts';
import { samples, service } from './service.ts';

/** Records a sample. */
export const record = implement(recordSample, async ({ sampleId }, { logger: line }) => {
  const recordedAt = await samples.record(sampleId);
  if (recordedAt === undefined) throw new RejectTask(`There is no sample ${sampleId}`);
  line.info({ sampleId }, 'sample recorded');
  return { recordedAt };
});

/** Records how the task of a sample ended. */
export const recordEnd = implement(recordSampleEnd, async (end, { logger: line }) => {
  const recorded = await samples.recordEnd(end);
  line.info({ sampleId: end.taskId, recorded }, `the task of the sample ${end.state}`);
  return { recorded };
});

/** Consumes the queue `samples`. */
export const records = createTrackedConsumer(service, [record, recordEnd]);
