import type { Measure } from '../bench.ts';
import { requestsIn } from '../brokers/requests.ts';
import { drain, tasksFor } from '../load.ts';
import { takingPart } from '../pairs.ts';

const TASKS = { full: 10_000, quick: 300 } as const;

/** The requests for each task from send to delete, at full load. AWS bills them. */
export const requestsMeasure: Measure = {
  id: 'requests',
  title: 'Requests per task',
  rounds: { full: 2, quick: 1 },
  run: async (bench) => {
    const countable = takingPart(bench, { quick: ['baton', 'raw-loop'] }).filter(
      ({ queues }) => queues === 'sqs',
    );
    for (const contender of countable) {
      await bench.attempt({ contender: contender.name, broker: 'fauxqs' }, async () => {
        const broker = await bench.brokers.fauxqs();
        await broker.takeCounts();
        const tasks = tasksFor(contender, TASKS[bench.mode]);
        const load = { contender, broker, tasks };
        const { queueUrl } = await drain(bench, load, { concurrency: contender.drainConcurrency });
        const parts = requestsIn(await broker.takeCounts(), queueUrl);
        const all = { 'send-to-delete': parts.send + parts.receive + parts.delete + parts.other, ...parts };
        for (const [figure, count] of Object.entries(all)) {
          // A figure of 0 would fail the measure, and some contenders renew no lease
          if (count > 0)
            bench.record({
              contender: contender.name,
              broker: 'fauxqs',
              figure,
              unit: 'requests/task',
              value: count / tasks,
            });
        }
      });
    }
  },
};
