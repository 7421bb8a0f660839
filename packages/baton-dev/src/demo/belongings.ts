// The files that belong to the demo.
import { basename } from 'node:path';
import type { Repository } from '../sources/repository.ts';
import type { Source } from '../sources/source.ts';
import { ALL_CONTRACTS, readContractFiles, SCHEDULED } from '../stack/contracts.ts';
import { IMPLEMENTATIONS } from '../stack/implementations.ts';
import type { Demo } from './demo.ts';
import { RemovalError } from './removal-error.ts';

const CONTRACTS = 'common/contracts';

/** Files that list others: the removal deletes lines of them, not the files. */
export const LISTS: readonly string[] = [IMPLEMENTATIONS, SCHEDULED, ALL_CONTRACTS];

/**
 * The files that belong to the demo and to nothing else:
 *
 * - the folders of its services, and what is in a folder or has a name `demo`;
 * - the contracts on its queues, with their released shapes;
 * - tasks, tests and examples that import any of these;
 * - what only these used.
 *
 * @param unmarked - the same repository, without the parts of the demo that files mark
 * @throws RemovalError naming the files of others that use the demo
 */
export async function belongingsOf(
  demo: Demo,
  repository: Repository,
  unmarked: Repository,
): Promise<ReadonlySet<string>> {
  const contracts = await contractFilesOf(demo);
  const belongings = new Set(
    repository.files.filter(
      (path) =>
        demo.folders.some((folder) => path.startsWith(`${folder}/`)) ||
        isCalledDemo(path) ||
        contracts.includes(path),
    ),
  );
  for (;;) {
    const more = [...usersOf(belongings, unmarked), ...unusedWithout(belongings, repository, unmarked)];
    if (more.length === 0) break;
    for (const path of more) belongings.add(path);
  }
  refuseOtherUsers(belongings, unmarked);
  return belongings;
}

function isCalledDemo(path: string): boolean {
  if (path.startsWith('packages/')) return false;
  const names = path.split('/');
  return names.slice(0, -1).includes('demo') || basename(path).startsWith('demo.');
}

/** The files of the demo's contracts. @throws RemovalError naming a file that has others too */
async function contractFilesOf({ contracts }: Demo): Promise<string[]> {
  const names = new Set(contracts.map(({ contract }) => contract.name));
  const files = [...(await readContractFiles())].filter(([, own]) => own.some(({ name }) => names.has(name)));
  for (const [file, own] of files) {
    const other = own.find(({ name }) => !names.has(name));
    if (other)
      throw new RemovalError(
        `${CONTRACTS}/${file} has contracts of the demo, and ${other.name}: move ${other.name} to a file of its own`,
      );
  }
  return [
    ...files.map(([file]) => `${CONTRACTS}/${file}`),
    ...[...names].map((name) => `${CONTRACTS}/released/${name}.json`),
  ];
}

/** Tasks, tests and examples that use a file of the demo. */
function usersOf(belongings: ReadonlySet<string>, repository: Repository): string[] {
  return others(belongings, repository)
    .filter(({ path }) => goesWithDemo(path) && !LISTS.includes(path))
    .filter((source) => repository.filesUsedBy(source).some((path) => belongings.has(path)))
    .map(({ path }) => path);
}

/** Files that the demo uses, and nothing else does, not even by their path in a text. */
function unusedWithout(
  belongings: ReadonlySet<string>,
  repository: Repository,
  unmarked: Repository,
): string[] {
  const left = others(belongings, unmarked);
  const usedBy = (sources: readonly Source[]) =>
    new Set(sources.flatMap((source) => repository.filesUsedBy(source)));
  const used = usedBy(left);
  // A file's own tests are no reason to keep it
  const usedInCode = usedBy(left.filter(({ path }) => !isTest(path)));
  const gone = repository.sources.filter(({ path }) => belongings.has(path));
  const usedByDemo = usedBy(gone);
  return repository.files.filter(
    (path) =>
      !belongings.has(path) &&
      /\.[jt]s$/.test(path) &&
      goesWithDemo(path) &&
      !LISTS.includes(path) &&
      !path.endsWith('.test.ts') &&
      (usedByDemo.has(path) || gone.some(({ text }) => text.includes(path))) &&
      !(isTest(path) ? used : usedInCode).has(path) &&
      !left.some(({ text }) => text.includes(path)),
  );
}

/** Whether a file may be deleted with its only user: never code of services, the worker or packages. */
function goesWithDemo(path: string): boolean {
  return /^(bench|common|examples)\//.test(path) || isTest(path);
}

function isTest(path: string): boolean {
  return /(^|\/)tests\//.test(path);
}

function others(belongings: ReadonlySet<string>, { sources }: Repository): Source[] {
  return sources.filter(({ path }) => !belongings.has(path));
}

function refuseOtherUsers(belongings: ReadonlySet<string>, repository: Repository): void {
  const uses = others(belongings, repository)
    .filter(({ path }) => !LISTS.includes(path))
    .flatMap((source) =>
      repository
        .filesUsedBy(source)
        .filter((path) => belongings.has(path))
        .map((path) => `  ${source.path} uses ${path}`),
    );
  if (uses.length === 0) return;
  throw new RemovalError(
    `Files that do not belong to the demo use it. Change them first:\n${uses.join('\n')}`,
  );
}
