import type { ReleasedContract } from './contract.ts';
import type { BreakKind, SchemaBreak } from './comparison.ts';
import { schemaBreaks } from './schema-breaks.ts';

type Reasons = Readonly<Record<BreakKind, (which: string) => string>>;

const OF_PAYLOADS: Reasons = {
  older: (which) => `messages in flight ${which} would be refused`,
  behind: (which) => `services one version behind would refuse messages ${which}`,
  lost: (which) => `what messages in flight say ${which} would be lost`,
  unclear: () => 'whether messages in flight, and services one version behind, go with that cannot be told',
};

const OF_RESULTS: Reasons = {
  older: (which) => `results in the task store ${which} would be refused`,
  behind: (which) => `senders one version behind would refuse results ${which}`,
  lost: (which) => `what results in the task store say ${which} would be lost`,
  unclear: () =>
    'whether results in the task store, and senders one version behind, go with that cannot be told',
};

/**
 * Why a contract cannot take the place of the one that was released: a line each, with the contract, the path, what
 * changed, and what that breaks. None where messages in flight, kept results and services one version behind go on.
 *
 * It looks neither at versions nor at the weights of lanes. `CONTRACT_FIELDS` says which fields it compares, and why not
 * the others.
 */
export function contractBreaks(released: ReleasedContract, changed: ReleasedContract): string[] {
  const tracked = released.tracked && changed.tracked;
  // A chain and a schedule send what no payload schema has filled in; they are of tracked tasks alone
  const filled = !released.tracked && !changed.tracked;
  const payload = schemaBreaks(released.payload, changed.payload, filled);
  const result = tracked ? schemaBreaks(released.result, changed.result, true) : [];
  return [
    ...queueBreaks(released, changed),
    ...laneBreaks(released, changed),
    ...trackedBreaks(released, changed),
    ...payload.map((each) => line(changed.name, 'payload', each, OF_PAYLOADS)),
    ...result.map((each) => line(changed.name, 'result', each, OF_RESULTS)),
  ];
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
    `${changed.name} queue: ${what}: messages in flight would stay in ${released.queue}, where nobody may know this task any more`,
  ];
}

/**
 * A lane that is gone takes its queue along, and the messages in it. A lane that is new breaks nothing: its tasks wait until
 * the workers that serve it are deployed. The first lanes of a contract leave its queue to the default one.
 */
function laneBreaks(released: ReleasedContract, changed: ReleasedContract): string[] {
  const { name, queue } = changed;
  const [before, after] = [queuesOf(released), queuesOf(changed)];
  const gone = before.filter((each) => !after.includes(each));
  const breaks = gone.map(
    (each) => `${name} lanes: ${each} is gone: messages in flight in that queue would be lost with it`,
  );
  const { defaultLane: was } = released;
  const { defaultLane: is } = changed;
  if (was === undefined || is === undefined || was === is || released.queue !== queue) return breaks;
  return [
    `${name} defaultLane: was ${was}, is now ${is}: messages in flight in ${queue} were sent in the lane ${was} and would be run as ${is}`,
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
    ? 'workers one version behind would run tasks and never say so in the task store'
    : 'tasks in flight would never end in the task store, and what follows them in a chain would not come';
  return [`${changed.name} tracked: ${what}: ${why}`];
}
