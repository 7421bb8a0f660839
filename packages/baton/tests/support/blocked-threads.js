import { open } from 'node:fs';

/** Imported into a program: at SIGUSR2 a pipe that nobody opens keeps all of libuv's threads, as a dead name server does. */
process.on('SIGUSR2', () => {
  for (let thread = 0; thread < 4; thread += 1) open(process.env['BLOCKING_PIPE'] ?? '', () => undefined);
  process.stderr.write('threads blocked\n');
});
