/** @type {import('jest').Config} */
export default {
  testMatch: ['**/tests/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {},
  testEnvironment: 'node',
  testTimeout: 20_000,
  // Most tests wait for processes of their own
  maxWorkers: '100%',
  reporters: ['default', './tests/support/closing-line.js'],
};
