import {
  type Caller,
  createApi,
  hashOfRequest,
  IdempotencyKeys,
  notFound,
  Problem,
  readable,
  route,
} from 'baton-tasks/http';
import { recordSample, sampleSchema } from '../contracts/samples.ts';
import { samples, service } from './service.ts';
import type { SampleRow } from './store.ts';

/** The scope of those who see everybody's samples. */
const OPERATOR = 'operator';

/** Strict: a caller should hear of a misspelt member. The contract's schema ignores it. */
const newSampleSchema = sampleSchema.omit({ sampleId: true }).strict();

/** The namespace of the route's idempotency keys. */
const SAMPLES = '00000000-0000-4000-8000-000000000000';
const keys = new IdempotencyKeys({
  documents: service.documents,
  table: service.config.SAMPLES_TABLE,
  key: 'sampleId',
  namespace: SAMPLES,
});

const postSample = route(
  'POST',
  '/samples',
  { body: readable(newSampleSchema) },
  async ({ body, caller, headers, trace }) => {
    const requestHash = hashOfRequest(body);
    // The task's id is the sample's: it is one task, however often the request comes
    const sampleId = await keys.idOf({ headers, caller, requestHash });
    const sample = { sampleId, ...body };
    const sendTask = () => service.tasks.send(recordSample, sample, { taskId: sampleId, trace });
    await samples.accept({ sample, owner: caller.subject, requestHash, sendTask });
    return {
      status: 202,
      headers: { location: `/samples/${sampleId}` },
      body: { sampleId, taskId: sampleId, status: 'accepted' },
    };
  },
);

const getSample = route('GET', '/samples/{sampleId}', {}, async ({ caller, param }) => {
  const row = await samples.find(param('sampleId'));
  if (!row || !isSeen(row, caller)) throw notFound('sample', param('sampleId'));
  return { status: 200, body: sampleView(row) };
});

const deleteSample = route('DELETE', '/samples/{sampleId}', {}, async ({ caller, param }) => {
  const sampleId = param('sampleId');
  const row = await samples.find(sampleId);
  if (!row || !isSeen(row, caller)) throw notFound('sample', sampleId);
  if (await samples.erase(row, caller.subject)) return { status: 204 };
  throw new Problem('task-not-ended', {
    detail: `The sample ${JSON.stringify(sampleId)} is ${row.status}, or has just changed; expected one that has ended.`,
  });
});

/** The API of samples-service. */
export const handler = createApi(service, [postSample, getSample, deleteSample]);

/** A caller sees his own samples, an operator everybody's. */
function isSeen({ owner }: SampleRow, caller: Caller): boolean {
  return owner === caller.subject || caller.may(OPERATOR);
}

function sampleView({ sampleId, status, reference, createdAt, recordedAt, failure }: SampleRow) {
  return { sampleId, status, reference, createdAt, recordedAt, failure };
}
