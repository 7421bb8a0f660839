import base from '../../../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../../../..',
  testMatch: ['<rootDir>/packages/baton-dev/src/supply-chain/tests/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
