import base from '../../jest.config.js';

// The embedded SQS reads it in the processes that Jest starts, and in those that tests start
process.env.SQS_HOSTILE = 'true';

/** @type {import('jest').Config} */
export default { ...base, rootDir: '../..' };
