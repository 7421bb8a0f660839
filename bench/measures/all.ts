import type { Measure } from '../bench.ts';
import { besideSlow } from './beside-slow.ts';
import { bundleMeasure } from './bundle.ts';
import { crash } from './crash.ts';
import { drainMeasure } from './drain.ts';
import { firstRunMeasure } from './first-run.ts';
import { growthConcurrency } from './growth-concurrency.ts';
import { growthEnvelope } from './growth-envelope.ts';
import { growthQueued } from './growth-queued.ts';
import { httpMeasure } from './http.ts';
import { idleLatency } from './idle-latency.ts';
import { idleRequests } from './idle-requests.ts';
import { memoryMeasure } from './memory.ts';
import { mixedOpen } from './mixed-open.ts';
import { mixedQueued } from './mixed-queued.ts';
import { requestsMeasure } from './requests.ts';
import { scaling } from './scaling.ts';
import { sendMeasure } from './send.ts';
import { tracked } from './tracked.ts';

/** Everything that is measured, in the order in which it is. */
export const allMeasures: readonly Measure[] = [
  drainMeasure,
  mixedQueued,
  mixedOpen,
  besideSlow,
  sendMeasure,
  idleLatency,
  crash,
  idleRequests,
  requestsMeasure,
  scaling,
  tracked,
  firstRunMeasure,
  httpMeasure,
  bundleMeasure,
  memoryMeasure,
  growthConcurrency,
  growthEnvelope,
  growthQueued,
];
