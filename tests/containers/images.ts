import { parseArgs } from 'node:util';
import { partFolders } from 'baton-dev/stack/part';
import { BackendNetwork } from './backend-network.ts';
import { missingEngine } from './docker.ts';
import { imageFolders } from './image.ts';
import { type ImageFigures, measureImage } from './image-figures.ts';

const USAGE = `npm run images [-- options]: builds and runs every image, and prints its size, times and memory
  --fresh  rebuild each image's own layers, but keep npm's cache
  --json   print JSON instead of a table
`;
const HEAD = ['image', 'size', 'own layers', 'build', 'start', 'memory'];

const inMb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const inSeconds = (seconds: number): string => `${seconds.toFixed(1)} s`;

function rowOf({ image, sizeBytes, ownBytes, ...rest }: ImageFigures): string[] {
  const { buildSeconds, startSeconds, memoryBytes } = rest;
  const times = [inSeconds(buildSeconds), inSeconds(startSeconds)];
  return [image, inMb(sizeBytes), inMb(ownBytes), ...times, inMb(memoryBytes)];
}

/** The sum of all images. Their shared layers count once. */
function totalOf(figures: readonly ImageFigures[]): ImageFigures {
  const sum = (member: Exclude<keyof ImageFigures, 'image'>): number =>
    figures.reduce((total, each) => total + each[member], 0);
  const shared = Math.max(...figures.map(({ sizeBytes, ownBytes }) => sizeBytes - ownBytes));
  return {
    image: 'all',
    sizeBytes: shared + sum('ownBytes'),
    ownBytes: sum('ownBytes'),
    buildSeconds: sum('buildSeconds'),
    startSeconds: sum('startSeconds'),
    memoryBytes: sum('memoryBytes'),
  };
}

/** The table as text. Names are aligned left, figures right. */
function table(rows: readonly string[][]): string {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
  return `${lines.join('\n')}\n`;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function measureAll(fresh: boolean): Promise<ImageFigures[]> {
  const network = await BackendNetwork.start(partFolders());
  try {
    const figures: ImageFigures[] = [];
    for (const folder of imageFolders) {
      say(`${folder}: building, ${figures.length + 1} of ${imageFolders.length}`);
      const measured = await measureImage(folder, { network, fresh });
      say(
        `${folder}: built in ${inSeconds(measured.buildSeconds)}, healthy ${inSeconds(measured.startSeconds)} after its start`,
      );
      figures.push(measured);
    }
    return figures;
  } finally {
    await network.stop();
  }
}

async function run(): Promise<number> {
  const options = {
    fresh: { type: 'boolean' },
    json: { type: 'boolean' },
    help: { type: 'boolean' },
  } as const;
  const { values } = parseArgs({ options });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const missing = await missingEngine();
  if (missing !== undefined) {
    say(`Images need ${missing}`);
    return 1;
  }
  const figures = await measureAll(values.fresh ?? false);
  const total = totalOf(figures);
  if (values.json) process.stdout.write(`${JSON.stringify({ images: figures, total }, undefined, 2)}\n`);
  else process.stdout.write(table([HEAD, ...[...figures, total].map(rowOf)]));
  return 0;
}

// The terminal's interrupt ends the running docker command. Its error ends this program, after it has cleaned up
process.on('SIGINT', () => undefined);
try {
  process.exitCode = await run();
} catch (error) {
  say(Error.isError(error) ? error.message : String(error));
  process.exitCode = 1;
}
