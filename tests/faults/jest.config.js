import base from '../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['**/tests/faults/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
