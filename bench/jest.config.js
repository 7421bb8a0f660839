import base from '../jest.config.js';

/**
 * The tests of the bench itself.
 *
 * @type {import('jest').Config}
 */
export default {
  ...base,
  rootDir: '..',
  testMatch: ['<rootDir>/bench/tests/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
