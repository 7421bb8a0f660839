import base from '../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['**/tests/browser/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  // Long, because a browser starts
  testTimeout: 60_000,
};
