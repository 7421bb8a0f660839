import type { Rule } from '../rule.ts';
import type { TreeOptions } from '../tree.ts';
import type { Changes } from './sample-tree.ts';

/** A mistake in the sample, and what a rule says of it. */
export interface Broken {
  readonly rule: Rule;
  readonly mistake: string;
  readonly changes: Changes;
  /** Contracts other than the sample's. */
  readonly options?: Partial<TreeOptions>;
  /** The lines that the rule gives. `path:{text}:` is the line where that text ends in the file. */
  readonly says: readonly string[];
}

/** The service of the sample. */
export const SERVICE = 'functions/samples-service';

/** A file that it has not got. */
export const OWN = `${SERVICE}/own.ts`;

/** That file, with some code. */
export function own(code: string): Changes {
  return { [OWN]: `${code}\n` };
}
