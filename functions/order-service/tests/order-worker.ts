import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { processOrder } from '@baton/common/contracts/orders';
import { defineTask, implement, RejectTask } from 'baton-tasks';
import { runWorker } from 'baton-tasks/worker';

/** What becomes of orders here, by the variable ORDERS: as in workers whose code is wrong in one way or another. */
const handlers = {
  /** Their handler kills its worker, by another process, which nothing in this one can prevent. */
  fatal: implement(processOrder, () => {
    execFileSync('kill', ['-9', String(process.pid)]);
    return new Promise(() => undefined);
  }),
  /** They are refused. */
  refused: implement(processOrder, () => {
    throw new RejectTask('No orders today');
  }),
  /** Their handler runs until its signal aborts. */
  slow: implement(processOrder, async (_order, { signal }) => {
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    return promise;
  }),
  /** Nobody here knows them: it has another task of their queue. */
  unknown: implement(defineTask({ ...processOrder, name: 'tests.other' }), () => {
    throw new RejectTask('Nobody sends these');
  }),
};

await runWorker({ implementations: [handlers[process.env['ORDERS'] as keyof typeof handlers]] });
