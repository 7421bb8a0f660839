// Loaded by `node --expose-gc --import`: the process says at each SIGUSR2 what it keeps after a collection of garbage.
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  process.stdout.write(`kept ${heapUsed + arrayBuffers} bytes\n`);
});
