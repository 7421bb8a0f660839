import { docker } from './docker.ts';

const UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** The current memory of running containers in bytes, by name. Reads `docker stats`: `61.3MiB / 3.8GiB`. */
export async function memoryOf(...names: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const lines = await docker('stats', '--no-stream', '--format={{.Name}} {{.MemUsage}}', ...names);
  return new Map(
    lines.split('\n').map((line) => {
      const [, name = '', amount = '', unit = ''] = /^(\S+) ([\d.]+)(\w+)/.exec(line) ?? [];
      return [name, Math.round(Number(amount) * (UNITS[unit] ?? Number.NaN))];
    }),
  );
}
