import { createRequire } from 'node:module';
import type Dynalite from 'dynalite';

/** What dynalite keeps its rows with. */
type MemoryLevel = new (options: object) => object;

const here = createRequire(import.meta.url);
const memoryLevel = createRequire(here.resolve('dynalite'))('memory-level') as { MemoryLevel: MemoryLevel };

/**
 * Keeps rows as strings. By default they are Buffers, which are parts of a slab of 64 KiB (`Buffer.poolSize` of Node 24):
 * a row that stays keeps all of its slab, and an order took 90 KB for ever.
 */
memoryLevel.MemoryLevel = class extends memoryLevel.MemoryLevel {
  constructor(options: object) {
    super({ ...options, storeEncoding: 'utf8' });
  }
};

// Not by import, which Jest does before the lines above
/** dynalite: an emulator of DynamoDB. */
export const dynalite = here('dynalite') as typeof Dynalite;
