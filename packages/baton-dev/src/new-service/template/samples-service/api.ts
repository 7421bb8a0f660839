import { createApi, hashOfRequest, idOfRequest, notFound, readable, route } from 'baton-tasks/http';
import { recordSample, sampleSchema } from '../contracts/samples.ts';
import { samples, service } from './service.ts';
import type { SampleRow } from './store.ts';

/** The namespace of the sample ids that idempotency keys give. */
const SAMPLES = '00000000-0000-4000-8000-000000000000';

/** Strict: a caller should hear of a misspelt member. The contract's schema ignores it. */
const newSampleSchema = sampleSchema.omit({ sampleId: true }).strict();

const postSample = route(
  'POST',
  '/samples',
  { body: readable(newSampleSchema) },
  async ({ body, headers, trace }) => {
    // The task's id is the sample's: it is one task, however often the request comes
    const sampleId = idOfRequest(headers, SAMPLES);
    const sample = { sampleId, ...body };
    const sendTask = () => service.tasks.send(recordSample, sample, { taskId: sampleId, trace });
    await samples.accept({ sample, requestHash: hashOfRequest(body), sendTask });
    return {
      status: 202,
      headers: { location: `/samples/${sampleId}` },
      body: { sampleId, taskId: sampleId, status: 'accepted' },
    };
  },
);

const getSample = route('GET', '/samples/{sampleId}', {}, async ({ param }) => {
  const row = await samples.find(param('sampleId'));
  if (!row) throw notFound('sample', param('sampleId'));
  return { status: 200, body: sampleView(row) };
});

/** The API of samples-service. */
export const handler = createApi(service, [postSample, getSample]);

function sampleView({ sampleId, status, reference, createdAt, recordedAt, failure }: SampleRow) {
  return { sampleId, status, reference, createdAt, recordedAt, failure };
}
