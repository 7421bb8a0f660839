// The repository as the rules see it: its files, stack and contracts.
import type { TaskContract } from 'baton-tasks';
import { Repository } from '../sources/repository.ts';
import type { Source } from '../sources/source.ts';
import {
  type ExportedContract,
  readExportedContracts,
  readListedContracts,
  readScheduledContracts,
} from '../stack/contracts.ts';
import { type DescribedStack, describeStack } from '../stack/described-stack.ts';
import { readImplementations } from '../stack/implementations.ts';
import { stagePrefixOf, WORKER_FOLDER } from '../stack/names.ts';
import { type DescribedFunction, type Part, partOf, readSharedPart } from '../stack/part.ts';
import { queuesOf } from '../stack/queues.ts';
import type { Resources } from '../stack/resources.ts';
import { lineIn } from '../stack/yaml-line.ts';
import { CONTRACTS_FOLDER, isDeployed } from './paths.ts';

/** The stage whose stack the rules look at: all stages are alike. */
const STAGE = 'dev';
/** Stands before the names of the stack's queues and tables. */
export const STAGE_PREFIX = stagePrefixOf(STAGE);

/** A function of the stack, and who describes it. */
export interface OwnFunction extends DescribedFunction {
  readonly name: string;
  /** The folder of the functions.yml that describes it. */
  readonly folder: string;
}

/** A file, or a line of it. */
export interface Place {
  /** From the root. */
  readonly file: string;
  /** Counted from 1. */
  readonly line?: number | undefined;
}

/** The parts of a tree. */
export interface TreeOptions {
  readonly repository: Repository;
  /** The contracts that `common/contracts` exports. */
  readonly exported: readonly ExportedContract[];
  /** The contracts that the worker implements. */
  readonly implemented: readonly TaskContract[];
  /** The contracts that `common/contracts/scheduled.ts` lists. */
  readonly scheduled: readonly TaskContract[];
  /** The contracts that `common/contracts/all.ts` lists. */
  readonly listed: readonly TaskContract[];
}

/** A repository as the rules see it: its code, its contracts, and the stack that its functions.yml describe. */
export class Tree {
  readonly repository: Repository;
  readonly exported: readonly ExportedContract[];
  readonly implemented: readonly TaskContract[];
  readonly scheduled: readonly TaskContract[];
  readonly listed: readonly TaskContract[];
  #parts: ReadonlyMap<string, Part> | undefined;
  #stack: DescribedStack | undefined;

  constructor({ repository, exported, implemented, scheduled, listed }: TreeOptions) {
    this.repository = repository;
    this.exported = exported;
    this.implemented = implemented;
    this.scheduled = scheduled;
    this.listed = listed;
  }

  /** All contracts, each once. */
  get contracts(): readonly TaskContract[] {
    return [...new Set(this.exported.map(({ contract }) => contract))];
  }

  /** The folders that are deployed, each by itself: those of the services, and the worker's. */
  get folders(): readonly string[] {
    const services = this.repository.files.flatMap((path) => /^(functions\/[^/]+)\//.exec(path)?.[1] ?? []);
    return [...new Set(services.toSorted()), WORKER_FOLDER];
  }

  /** The code that is deployed: all of `functions`, `common` and `worker` without their tests. */
  get deployed(): readonly Source[] {
    return this.repository.sourcesOf((path) => isDeployed(path));
  }

  /** The content of each functions.yml, by its folder. @throws StackError that names a file that cannot be understood */
  get parts(): ReadonlyMap<string, Part> {
    this.#parts ??= new Map(
      this.folders
        .filter((folder) => this.repository.has(fileOf(folder)))
        .map((folder) => [folder, partOf(this.repository.textOf(fileOf(folder)), fileOf(folder), STAGE)]),
    );
    return this.#parts;
  }

  /**
   * The stack, as far as it can be described: without contracts whose queue is described nowhere.
   *
   * @throws StackError saying what cannot be described
   */
  get stack(): DescribedStack {
    this.#stack ??= this.#describe();
    return this.#stack;
  }

  #describe(): DescribedStack {
    const parts = [...this.parts.values(), readSharedPart(STAGE)];
    const described = queuesOf(
      Object.assign({}, ...parts.map((part) => part.resources?.Resources)) as Resources,
    );
    const queues = new Set(described.map(({ name }) => name));
    const isDescribed = ({ queue }: TaskContract): boolean => queues.has(STAGE_PREFIX + queue);
    return describeStack({
      parts,
      contracts: this.contracts.filter(isDescribed),
      implemented: this.implemented.filter(isDescribed),
      stage: STAGE,
    });
  }

  /** The functions of the stack, with the events that follow from contracts. */
  get functions(): readonly OwnFunction[] {
    const { functions } = this.stack;
    return [...this.parts].flatMap(([folder, part]) =>
      Object.keys(part.functions ?? {}).flatMap((name) => {
        const described = functions[name];
        return described ? [{ ...described, name, folder }] : [];
      }),
    );
  }

  /** The folder whose functions.yml describes a resource; undefined of what follows from contracts or is the library's. */
  ownerOf(id: string): string | undefined {
    return [...this.parts].find(([, { resources }]) => id in (resources?.Resources ?? {}))?.[0];
  }

  /** A place in a functions.yml: the line of the last member of the path that exists. */
  placeIn(folder: string, ...path: readonly string[]): Place {
    const file = fileOf(folder);
    return { file, line: lineIn(this.repository.textOf(file), path) };
  }

  /** The place of a function. */
  placeOf({ folder, name }: Pick<OwnFunction, 'folder' | 'name'>, ...path: readonly string[]): Place {
    return this.placeIn(folder, 'functions', name, ...path);
  }

  /** The place of a resource, or of the resource that it follows from. */
  placeOfResource(id: string, ...path: readonly string[]): Place {
    return this.placeIn(this.ownerOf(id) ?? WORKER_FOLDER, 'resources', 'Resources', id, ...path);
  }

  /** The place of a contract. */
  placeOfContract(contract: TaskContract): Place {
    const { file = '', name = '' } = this.exported.find((each) => each.contract === contract) ?? {};
    const path = `${CONTRACTS_FOLDER}/${file}`;
    const own = this.repository.sourceAt(path).exports.find(({ names }) => names.includes(name));
    return { file: path, line: own?.line ?? 1 };
  }
}

/** Reads what the rules look at. @throws what a file of contracts or implementations throws that is wrong */
export async function readTree(repository: Repository = new Repository()): Promise<Tree> {
  const [exported, implementations, scheduled, listed] = await Promise.all([
    readExportedContracts(),
    readImplementations(),
    readScheduledContracts(),
    readListedContracts(),
  ]);
  const implemented = implementations.map(({ contract }) => contract);
  return new Tree({ repository, exported, implemented, scheduled, listed });
}

function fileOf(folder: string): string {
  return `${folder}/functions.yml`;
}
