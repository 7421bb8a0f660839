// The worker's tasks, all in threads, whatever their contracts say.
import { runWorker } from 'baton-tasks/worker';
import { allContracts } from '@baton/common/contracts/all';
import { allTasks } from '@baton/common/tasks/all';
import type { Implementation } from 'baton-tasks';

const inThread = ({ contract, run }: Implementation): Implementation => ({
  contract: { ...contract, isolation: 'thread' },
  run,
});

await runWorker({
  implementations: allTasks.map(inThread),
  contracts: allContracts,
  thread: new URL('../thread.ts', import.meta.url),
});
