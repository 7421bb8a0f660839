import type { Bench, Measure } from '../bench.ts';
import { startTaskTable, type TaskTable } from '../brokers/task-table.ts';
import type { Contender } from '../contender.ts';
import { baton, batonTracked } from '../contenders/contenders.ts';
import { recordCosts } from '../costs.ts';
import { allHandledOnce, fill, limitMs, withQueue, withWorker } from '../load.ts';
import { takingPart } from '../pairs.ts';

const TASKS = { full: 2000, quick: 100 } as const;

/** The cost of tracking a task in a task store: time, CPU and writes. */
export const tracked: Measure = {
  id: 'tracked',
  title: 'Tracked and untracked tasks',
  rounds: { full: 3, quick: 1 },
  run: async (bench) => {
    if (takingPart(bench, { quick: ['baton'], full: ['baton'] }).length === 0) return;
    const table = await startTaskTable();
    const environment = { ...batonTracked.environment, ...table.environment };
    const pair = [baton, { ...batonTracked, environment }];
    try {
      for (const contender of bench.round % 2 === 0 ? pair.toReversed() : pair)
        await bench.attempt({ contender: contender.name, broker: 'fauxqs' }, () =>
          measureOne(bench, contender, table),
        );
    } finally {
      await table.stop();
    }
  },
};

async function measureOne(bench: Bench, contender: Contender, table: TaskTable): Promise<void> {
  const tasks = TASKS[bench.mode];
  const broker = await bench.brokers.fauxqs();
  const load = { contender, broker, tasks, signal: bench.signal };
  const by = { contender: contender.name, broker: 'fauxqs' };
  await withQueue(broker, (queueUrl) => {
    const settings = { queueUrls: [queueUrl], concurrency: contender.drainConcurrency, tasks };
    return withWorker(load, settings, async (worker) => {
      await table.takeWrites();
      await fill(bench, load, queueUrl);
      const sending = await table.takeWrites();
      await worker.go();
      const finished = await worker.finished(limitMs(tasks));
      // After the last delete all writes are done
      await allHandledOnce(load, queueUrl, finished);
      const working = await table.takeWrites();
      recordCosts(bench, by, finished);
      if (contender.name !== batonTracked.name) return;
      bench.record({ ...by, figure: 'writes', unit: 'writes/attempt', value: working / tasks });
      bench.record({ ...by, figure: 'sending-writes', unit: 'writes/attempt', value: sending / tasks });
    });
  });
}
