// The breaks of a changed contract.
import type { ReleasedContract } from './contract.ts';
import type { BreakKind, SchemaBreak } from './comparison.ts';
import { maxPayloadBytesOf } from 'baton-tasks/tooling';
import { schemaBreaks } from './schema-breaks.ts';

type Reasons = Readonly<Record<BreakKind, (which: string) => string>>;

const SAFE_FORM = 'expected z.never().optional() for it in the forms without it';

const OF_PAYLOADS: Reasons = {
  older: (which) => `messages in flight ${which} would be refused`,
  behind: (which) => `services one version behind would refuse messages ${which}`,
  lost: (which) => `messages in flight would lose their data ${which}`,
  dropped: (which) => `messages ${which} would be accepted without it; ${SAFE_FORM}`,
  unclear: () => 'this may break messages in flight, and services one version behind',
};

const OF_RESULTS: Reasons = {
  older: (which) => `results in the task store ${which} would be refused`,
  behind: (which) => `senders one version behind would refuse results ${which}`,
  lost: (which) => `results in the task store would lose their data ${which}`,
  dropped: (which) => `results ${which} would be accepted without it; ${SAFE_FORM}`,
  unclear: () => 'this may break results in the task store, and senders one version behind',
};

/**
 * Lists why a contract cannot replace the released one: lines with the contract, the path, the change, and what it breaks.
 * Empty if messages in flight, kept results and services one version behind continue to work.
 *
 * If the version was incremented, workers of the old version leave new messages to other workers, so those break nothing.
 * It does not look at the weights of lanes. `CONTRACT_FIELDS` says which fields it compares, and why not the others.
 */
export function contractBreaks(released: ReleasedContract, changed: ReleasedContract): string[] {
  const tracked = released.tracked && changed.tracked;
  // Chains and schedules, which need tracked tasks, send payloads that no schema has filled in
  const filled = !released.tracked && !changed.tracked;
  const isRaised = changed.version > released.version;
  const payload = schemaBreaks(released.payload, changed.payload, filled).filter(
    ({ kind }) => !(isRaised && kind === 'behind'),
  );
  const result = tracked ? schemaBreaks(released.result, changed.result, true) : [];
  const breaks = [
    ...queueBreaks(released, changed),
    ...laneBreaks(released, changed),
    ...trackedBreaks(released, changed),
    ...sizeBreaks(released, changed),
    ...payload.map((each) => line(changed.name, 'payload', each, OF_PAYLOADS)),
    ...result.map((each) => line(changed.name, 'result', each, OF_RESULTS)),
  ];
  return [...new Set(breaks)];
}

function line(
  name: string,
  part: string,
  { path, kind, what, which }: SchemaBreak,
  reasons: Reasons,
): string {
  return `${name} ${part}${path}: ${what}: ${reasons[kind](which)}`;
}

function queueBreaks(released: ReleasedContract, changed: ReleasedContract): string[] {
  if (released.queue === changed.queue) return [];
  const what = `was ${released.queue}, is now ${changed.queue}`;
  return [
    `${changed.name} queue: ${what}: messages in flight would stay in ${released.queue}, where no worker may know this task`,
  ];
}

/**
 * The breaks of changed lanes. A removed lane takes along its queue with the messages in it. A new lane breaks nothing: its
 * tasks wait until the workers that serve it are deployed.
 */
function laneBreaks(released: ReleasedContract, changed: ReleasedContract): string[] {
  const { name, queue } = changed;
  const [before, after] = [queuesOf(released), queuesOf(changed)];
  const gone = before.filter((each) => !after.includes(each));
  const breaks = gone.map(
    (each) => `${name} lanes: ${each} is gone: messages in flight in its queue would be lost`,
  );
  const { defaultLane: was } = released;
  const { defaultLane: is } = changed;
  if (was === undefined || is === undefined || was === is || released.queue !== queue) return breaks;
  return [
    `${name} defaultLane: was ${was}, is now ${is}: messages in flight in ${queue} were sent in the lane ${was} and would run in the lane ${is}`,
    ...breaks,
  ];
}

/** The queues of a contract's lanes, without its own. */
function queuesOf({ queue, lanes = [], defaultLane }: ReleasedContract): string[] {
  return lanes.filter((lane) => lane !== defaultLane).map((lane) => `${queue}_${lane}`);
}

function trackedBreaks(released: ReleasedContract, changed: ReleasedContract): string[] {
  if (released.tracked === changed.tracked) return [];
  const what = `was ${released.tracked}, is now ${changed.tracked}`;
  const why = changed.tracked
    ? 'workers one version behind would run tasks without the task store'
    : 'tasks in flight would never end in the task store, and the next tasks of their chains would not run';
  return [`${changed.name} tracked: ${what}: ${why}`];
}

function sizeBreaks(released: ReleasedContract, changed: ReleasedContract): string[] {
  const [was, is] = [maxPayloadBytesOf(released), maxPayloadBytesOf(changed)];
  const what = `${changed.name} maxPayloadBytes: was ${was}, is now ${is}`;
  if (is < was) return [`${what}: messages in flight with a larger payload would be refused`];
  if (is === was || changed.version > released.version) return [];
  return [`${what}: services one version behind would refuse messages with a larger payload`];
}
