import base from '../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['**/tests/deploy/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  // Serverless has one folder to package in
  maxWorkers: 1,
  // An emulator starts each function anew, on a machine that others use, too
  testTimeout: 60_000,
};
