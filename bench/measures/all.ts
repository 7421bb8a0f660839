import type { Measure } from '../bench.ts';
import { drainMeasure } from './drain.ts';

/** Everything that is measured, in the order in which it is. */
export const allMeasures: readonly Measure[] = [drainMeasure];
