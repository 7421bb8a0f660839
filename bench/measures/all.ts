import type { Measure } from '../bench.ts';
import { bundleMeasure } from './bundle.ts';
import { drainMeasure } from './drain.ts';
import { firstRunMeasure } from './first-run.ts';
import { httpMeasure } from './http.ts';
import { memoryMeasure } from './memory.ts';

/** Everything that is measured, in the order in which it is. */
export const allMeasures: readonly Measure[] = [
  drainMeasure,
  firstRunMeasure,
  httpMeasure,
  bundleMeasure,
  memoryMeasure,
];
