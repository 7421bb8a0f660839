import type { TaskStore } from 'baton-tasks/service';
import type { EffectSink } from '../support/effect-sink.ts';
import type { CountedTasks } from './counted-tasks.ts';
import type { TrackedPlan } from './soak-plan.ts';
import type { Swarm } from './swarm.ts';
import type { TableWatch } from './table-watch.ts';

/** The state at the end of a soak of tracked tasks. */
export interface TrackedResult {
  readonly plan: TrackedPlan;
  readonly store: TaskStore;
  readonly tasks: CountedTasks;
  readonly watch: TableWatch;
  readonly sink: EffectSink;
  readonly swarm: Swarm;
  /** Messages in the queue at the end. */
  readonly left: number;
  readonly seconds: number;
}

/**
 * Accounts for every tracked task by its id. Each must have succeeded with the result of its number, which was written
 * once. Its effect must be in the sink, and the sink must have no other rows.
 */
export async function trackedReport(soak: TrackedResult) {
  const { plan, store, tasks, watch, sink, left, swarm, seconds } = soak;
  const ids = [...tasks.numbers.keys()];
  const rows = await store.readAll(ids);
  const effects = await sink.rows();
  const succeeded = rows.filter(({ state }) => state === 'succeeded');
  const right = succeeded.filter(({ taskId, result = '{}' }) => {
    const { number } = JSON.parse(result) as { number?: number };
    return number === (tasks.numbers.get(taskId) ?? Number.NaN) + 1;
  });
  const poisons = await store.readAll([...tasks.poisons]);
  const crashed = poisons.filter(({ state, error }) => state === 'dead' && error?.reason === 'crashed');
  const attempts = rows.reduce((total, row) => total + row.attempts, 0);
  const again = [...effects.values()].reduce((total, times) => total + times, 0);
  const written = [...watch.results.values()];
  const expected = new Set(ids.map((taskId) => `${taskId}:count`));
  const wrong = {
    'innocent tasks dead': rows.filter(({ state }) => state === 'dead' || state === 'failed').length,
    'results missing': ids.length - succeeded.length,
    'results wrong': succeeded.length - right.length,
    'results written twice': written.filter((times) => times > 1).length,
    'rows changed after end': watch.changedAfterEnd.length,
    'effects missing': [...expected].filter((key) => !effects.has(key)).length,
    'effects duplicated': [...effects.keys()].filter((key) => !expected.has(key)).length,
    'asked again though kept': watch.askedThoughKept.length,
    'poison not dead': tasks.poisons.size - crashed.length,
    'left in the queue': left,
  };
  const figures = {
    seed: plan.seed,
    'workers killed': plan.kills,
    'workers paused': plan.pauses,
    'workers with a wrong clock': plan.clocks,
    'workers on a full disk': plan.disks,
    'workers that crashed': swarm.deaths,
    'poison tasks': tasks.poisons.size,
    'tasks sent': ids.length,
    'results as expected': right.length,
    'results written': written.reduce((total, times) => total + times, 0),
    'rows in the sink': effects.size,
    ...wrong,
    'asked before it was kept': watch.askedBeforeKept.length,
    'kept after the end': watch.keptAfterEnd.length,
    'effects asked again': again,
    'attempts that threw': tasks.failures,
    'attempts beyond the first': attempts - rows.length,
    seconds: Math.round(seconds),
  };
  return {
    kept: Object.values(wrong).every((times) => times === 0),
    text: [
      ...Object.entries(figures).map(([name, value]) => `${name.padEnd(26)} ${value}`),
      ...watch.changedAfterEnd.map((write) => `written after the end: ${write}`),
      '',
    ].join('\n'),
  };
}
