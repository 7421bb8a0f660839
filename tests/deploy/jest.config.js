import base from '../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['**/tests/deploy/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  // Serverless packages into a single folder
  maxWorkers: 1,
  // Long, because an emulator has to start each function, perhaps on a busy machine
  testTimeout: 60_000,
};
