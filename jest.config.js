import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';

// One seed for all embedded SQSs of a run; tests/support/run-lines.js writes it
process.env.SQS_SEED ||= String(randomInt(2 ** 31 - 1));

/** @type {import('jest').Config} */
export default {
  testMatch: ['**/tests/**/*.test.ts'],
  // They have a configuration, and a script, of their own
  testPathIgnorePatterns: [
    '/node_modules/',
    '/tests/([a-z]+/)?programs/',
    '/tests/faults/',
    '/tests/containers/',
    '/new-service/template/',
    '/tests/deploy/',
    '/supply-chain/tests/',
    '/tests/compiled[a-z-]*\\.test\\.ts$',
    '/tests/new-service/',
    '/tests/pack/',
    '/tests/attacks/',
    // demo
    '/tests/demo/removal',
    // /demo
    '<rootDir>/bench/',
  ],
  // Other packages' files, where the bench has installed what it needs
  modulePathIgnorePatterns: ['<rootDir>/bench/rivals/', '<rootDir>/bench/node_modules/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {},
  testEnvironment: '<rootDir>/tests/support/environment.ts',
  testTimeout: 20_000,
  // Twice as many as there are processors: many tests wait, for processes of their own or for time to pass
  maxWorkers: availableParallelism() * 2,
  reporters: ['default', '<rootDir>/tests/support/run-lines.js'],
};
