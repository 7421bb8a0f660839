import { open } from 'node:fs';

// Imported into a program. On SIGUSR2 it blocks all threads of libuv with a pipe, as an unresponsive name server does.
process.on('SIGUSR2', () => {
  for (let thread = 0; thread < 4; thread += 1) open(process.env['BLOCKING_PIPE'] ?? '', () => undefined);
  process.stderr.write('threads blocked\n');
});
