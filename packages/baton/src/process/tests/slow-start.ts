import { onStopSignal } from '../stop-signal.ts';
import { signalSeen } from './slow-module.ts';

process.stdout.write(`loaded after ${signalSeen}\n`);
const alive = setInterval(() => undefined, 1000);
onStopSignal(() => {
  process.stdout.write('stopped\n');
  clearInterval(alive);
});
