import base from '../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['**/tests/containers/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  // Each test builds images
  testTimeout: 300_000,
  // One after the other, because the tests measure builds and share the engine's cache
  maxWorkers: 1,
};
