import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { processOrder } from '@baton/common/contracts/orders';
import { defineTask, implement, RejectTask } from 'baton-tasks';
import { runWorker } from 'baton-tasks/worker';

/** Tasks of workers whose code is wrong in some way. The variable ORDERS chooses one. */
const handlers = {
  /** The handler has another process kill its worker, so nothing in the worker can prevent it. */
  fatal: implement(processOrder, () => {
    execFileSync('kill', ['-9', String(process.pid)]);
    return new Promise(() => undefined);
  }),
  /** The handler rejects every order. */
  refused: implement(processOrder, () => {
    throw new RejectTask('No orders today');
  }),
  /** The handler runs until its signal aborts. */
  slow: implement(processOrder, async (_order, { signal }) => {
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    return promise;
  }),
  /** The worker does not know orders: it has another task of their queue. */
  unknown: implement(defineTask({ ...processOrder, name: 'tests.other' }), () => {
    throw new RejectTask('No test sends this task');
  }),
};

await runWorker({ implementations: [handlers[process.env['ORDERS'] as keyof typeof handlers]] });
