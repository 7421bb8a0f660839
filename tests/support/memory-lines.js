// Loaded by `node --expose-gc --import`. On SIGUSR2 the process collects garbage and prints the memory that it keeps.
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  process.stdout.write(`kept ${heapUsed + arrayBuffers} bytes\n`);
});
