import { partFolders } from 'baton-dev/stack/part';
import { basename } from 'node:path';
import type { Measure } from '../../bench.ts';
import { ContainerSystem } from '../../services/container-system.ts';
import { postOrders } from '../../services/load.ts';

const ORDERS = { full: 300, quick: 50 };
const DONE_MS = 60_000;

/** The memory of each service and of the worker, at rest and after some hundred orders. */
export const memoryMeasure: Measure = {
  id: 'memory',
  title: 'Memory of the services',
  rounds: { full: 3, quick: 1 },
  run: async (bench) => {
    const orders = ORDERS[bench.mode];
    const names = partFolders().map((part) => basename(part));
    const system = await ContainerSystem.start(names, bench);
    const note = async (at: number): Promise<void> => {
      for (const contender of names) {
        const { residentMb: value } = await system.server(contender).process.usage();
        bench.record({ contender, figure: 'resident', unit: 'MB', at, value });
      }
    };
    try {
      await note(0);
      bench.say(`${orders} orders`);
      const { url } = system.server('order-service');
      const { failed } = await postOrders(orders, url, bench);
      if (failed > 0) bench.fail(`${failed} of ${orders} orders were not accepted`);
      const { process: last } = system.server('notification-service');
      await last.until('all notifications', DONE_MS, async () => {
        const delivered = last.output.match(/delivered to the outbox/g) ?? [];
        return delivered.length >= orders || undefined;
      });
      await note(orders);
    } finally {
      await system.stop();
    }
  },
};
