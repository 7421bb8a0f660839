import { availableParallelism } from 'node:os';
import base from '../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['**/tests/faults/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  // Long, because each test starts processes, perhaps on a busy machine
  testTimeout: 60_000,
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
};
