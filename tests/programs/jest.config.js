import base from '../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../..',
  testMatch: ['**/tests/**/programs/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/new-service/template/'],
  // Each test starts programs that use all processors
  maxWorkers: '100%',
};
