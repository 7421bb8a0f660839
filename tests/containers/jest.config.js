import base from '../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['**/tests/containers/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  // Each builds images
  testTimeout: 300_000,
  // They tell how long a build takes, and share the engine's cache: one after the other
  maxWorkers: 1,
};
