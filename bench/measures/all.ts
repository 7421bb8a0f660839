import type { Measure } from '../bench.ts';
import { besideSlow } from './beside-slow.ts';
import { bundleMeasure } from './bundle.ts';
import { crash } from './crash.ts';
import { drainMeasure } from './drain.ts';
import { growthConcurrency } from './growth-concurrency.ts';
import { growthEnvelope } from './growth-envelope.ts';
import { growthQueued } from './growth-queued.ts';
import { idleLatency } from './idle-latency.ts';
import { idleRequests } from './idle-requests.ts';
import { mixedOpen } from './mixed-open.ts';
import { mixedQueued } from './mixed-queued.ts';
import { requestsMeasure } from './requests.ts';
import { scaling } from './scaling.ts';
import { sendMeasure } from './send.ts';
import { tracked } from './tracked.ts';
// demo
import { firstRunMeasure } from './demo/first-run.ts';
import { httpMeasure } from './demo/http.ts';
import { memoryMeasure } from './demo/memory.ts';
// /demo

/** All measures, in the order in which they run. */
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
  // demo
  firstRunMeasure,
  httpMeasure,
  // /demo
  bundleMeasure,
  // demo
  memoryMeasure,
  // /demo
  growthConcurrency,
  growthEnvelope,
  growthQueued,
];
