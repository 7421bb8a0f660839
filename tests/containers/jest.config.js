import base from '../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['**/tests/containers/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  // Images are built and systems of them started; side by side they would measure each other
  testTimeout: 300_000,
  maxWorkers: 1,
};
