// The parts of a repository, and what each may import.
import { isTest } from './paths.ts';

/** A part of the repository that is deployed, and what it may import beside itself and the library. */
interface Layer {
  readonly is: RegExp;
  readonly imports: readonly RegExp[];
  /** Its name in a sentence, and the advice about any other import. */
  readonly rule: string;
}

const CONTRACTS = /^common\/contracts\//;
const TASKS = /^common\/tasks\//;
const LIBRARY = /^packages\/baton\//;
/** A package of the user's own; the tools are none. */
const OWN_PACKAGE = /^packages\/(?!baton(-dev)?\/)[^/]+\//;

const SERVICE = /^functions\/[^/]+\//;
const NO_SERVICE_IMPORTS_ANOTHER =
  'No service imports another: send it a task instead (docs/guide.md, "A contract"), and move what both need to common/contracts';

/** From the top: each imports only what is below it. */
const LAYERS: readonly Layer[] = [
  {
    is: SERVICE,
    imports: [TASKS, CONTRACTS, OWN_PACKAGE],
    rule: 'A service may import its own folder, common and the library',
  },
  {
    is: /^worker\//,
    imports: [TASKS, CONTRACTS, OWN_PACKAGE],
    rule: 'The worker may import common and the library: move what it runs to common/tasks',
  },
  {
    is: TASKS,
    imports: [CONTRACTS, OWN_PACKAGE],
    rule: 'common/tasks may import common/contracts and the library: implement what needs a service in its handlers.ts',
  },
  {
    is: CONTRACTS,
    imports: [OWN_PACKAGE],
    rule: 'common/contracts may import the library alone: a contract is data',
  },
  {
    is: OWN_PACKAGE,
    imports: [OWN_PACKAGE],
    rule: 'A package that services share may import other packages: it knows none of its users',
  },
];

/**
 * Why a file may not import another, or undefined if it may. Files that are not deployed (tests, tools, examples) may
 * import all others.
 *
 * @param from - of the file that imports, as all paths from the root
 */
export function refusedImport(from: string, to: string): string | undefined {
  const layer = isTest(from) ? undefined : LAYERS.find(({ is }) => is.test(from));
  if (!layer || to.endsWith('package.json')) return undefined;
  if (isTest(to)) return 'Nothing that is deployed may import tests: move it out of tests';
  if (folderOf(from, layer) === folderOf(to, layer) || LIBRARY.test(to)) return undefined;
  if (layer.is === SERVICE && SERVICE.test(to)) return NO_SERVICE_IMPORTS_ANOTHER;
  return layer.imports.some((allowed) => allowed.test(to)) ? undefined : layer.rule;
}

function folderOf(path: string, { is }: Layer): string | undefined {
  return is.exec(path)?.[0];
}
