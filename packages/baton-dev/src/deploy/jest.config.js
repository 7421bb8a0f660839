import base from '../../../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../../../..',
  testMatch: ['**/deploy/tests/compiled*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  // Serverless compiles the stack for it
  testTimeout: 60_000,
};
