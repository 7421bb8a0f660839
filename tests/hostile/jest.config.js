import base from '../../jest.config.js';

// Jest's workers and the programs that tests start inherit it, and their embedded SQS reads it
process.env.SQS_HOSTILE = 'true';

/** @type {import('jest').Config} */
export default { ...base, rootDir: '../..' };
