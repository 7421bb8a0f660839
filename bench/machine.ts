import { cpus, release, totalmem, type } from 'node:os';
import type { Results } from './results.ts';

/** Describes the machine that the bench runs on. */
export function machine(): Results['machine'] {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release()}`,
    node: process.versions.node,
  };
}
