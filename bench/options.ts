import { parseArgs } from 'node:util';
import type { Measure, Mode } from './bench.ts';

const USAGE = `npm run bench [-- options]

Measures Baton against its rivals on the same brokers, and writes the results into docs/performance.md,
docs/performance.json and docs/performance/.

  --quick            run everything once with few tasks, in under 2 minutes. Proves that the bench works and judges
                     nothing by time. Writes into a temporary folder, which it names at the end
  --only=A,B         run only these measures
  --contenders=A,B   run only these contenders
  --rounds=N         run each measure N times, 1 to 100
  --out=FOLDER       write into this folder
  --help             show this text, and the names of the measures and contenders
`;

/** Options of the command. */
export interface Options {
  readonly mode: Mode;
  readonly measures: readonly Measure[];
  /** Names of contenders. undefined: all. */
  readonly contenders: readonly string[] | undefined;
  readonly rounds: number | undefined;
  readonly out: string | undefined;
}

/** The measures and contenders that the command knows. */
export interface Choices {
  readonly measures: readonly Measure[];
  /** Names of contenders. */
  readonly contenders: readonly string[];
}

/** Reads the command line. Ends the process with status 0 after the help text, and with 2 after a wrong option. */
export function readOptions(choices: Choices): Options {
  const { measures, contenders } = choices;
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        contenders: { type: 'string' },
        rounds: { type: 'string' },
        out: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    const ids = measures.map(({ id }) => id);
    if (values.help)
      exitWith(`${USAGE}\nMeasures: ${ids.join(', ')}\nContenders: ${contenders.join(', ')}\n`, 0);
    const only = someOf(ids, '--only', values.only);
    if (values.rounds !== undefined && !/^([1-9]\d?|100)$/.test(values.rounds))
      throw new Error(`--rounds is ${values.rounds}; expected a whole number from 1 to 100.`);
    return {
      mode: values.quick ? 'quick' : 'full',
      measures: measures.filter(({ id }) => only?.includes(id) ?? true),
      contenders: someOf(contenders, '--contenders', values.contenders),
      rounds: values.rounds === undefined ? undefined : Number(values.rounds),
      out: values.out,
    };
  } catch (error) {
    return exitWith(`${(error as Error).message}\n\n${USAGE}`, 2);
  }
}

function someOf(all: readonly string[], option: string, value: string | undefined): string[] | undefined {
  const asked = value?.split(',');
  const unknown = asked?.filter((name) => !all.includes(name)) ?? [];
  if (unknown.length === 0) return asked;
  throw new Error(`${option} has unknown names: ${unknown.join(', ')}; expected some of ${all.join(', ')}.`);
}

function exitWith(text: string, status: number): never {
  (status === 0 ? process.stdout : process.stderr).write(text);
  process.exit(status);
}
