import { once } from 'node:events';

process.stdout.write('loading\n');
const alive = setInterval(() => undefined, 1000);
await once(process, 'SIGTERM');
clearInterval(alive);

/** The signal for which this module waited while it was loaded. */
export const signalSeen = 'SIGTERM';
