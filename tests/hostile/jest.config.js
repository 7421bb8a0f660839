import base from '../../jest.config.js';

// Jest's workers and the programs that tests start inherit it, and their embedded SQS reads it
process.env.SQS_HOSTILE = 'true';
// npm test tries fewer, to be short
process.env.RANDOM_RUNS = 'all';

/** @type {import('jest').Config} */
export default { ...base, rootDir: '../..' };
