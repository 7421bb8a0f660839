// The sizes of tasks on Fargate.
const GIB = 1024;

/** The memory sizes for CPU units, in MiB: first, last and step (ECS Developer Guide, "Task size"). */
const MEMORY_BY_CPU: ReadonlyMap<number, readonly [first: number, last: number, step: number]> = new Map([
  [512, [GIB, 4 * GIB, GIB]],
  [1024, [2 * GIB, 8 * GIB, GIB]],
  [2048, [4 * GIB, 16 * GIB, GIB]],
  [4096, [8 * GIB, 30 * GIB, GIB]],
  [8192, [16 * GIB, 60 * GIB, 4 * GIB]],
  [16_384, [32 * GIB, 120 * GIB, 8 * GIB]],
]);
/** The smallest number of CPU units. Its memory sizes have no fixed step. */
const SMALLEST_CPU = 256;
const SMALLEST_MEMORY = [512, GIB, 2 * GIB];

/** The possible CPU units of a Fargate task. */
export const CPU_UNITS: readonly number[] = [SMALLEST_CPU, ...MEMORY_BY_CPU.keys()];

/** The possible memory sizes of a task with so many CPU units, in MiB. Empty if Fargate has no such task. */
export function memoriesOf(cpu: number): readonly number[] {
  if (cpu === SMALLEST_CPU) return SMALLEST_MEMORY;
  const [first, last, step] = MEMORY_BY_CPU.get(cpu) ?? [0, -1, 1];
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => first + index * step);
}
