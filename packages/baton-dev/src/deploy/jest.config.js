import base from '../../../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../../../..',
  testMatch: ['**/tests/compiled*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  // One after the other: Serverless has one folder to work in
  maxWorkers: 1,
  // Serverless compiles the stack for it
  testTimeout: 60_000,
};
