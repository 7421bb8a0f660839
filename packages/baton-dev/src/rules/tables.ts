// Tables.
import { type Table, tablesOf } from '../stack/tables.ts';
import { withStage } from './queues.ts';
import type { Breach, Rule } from './rule.ts';
import { STAGE_PREFIX, type Tree } from './tree.ts';

/** A table that a service owns. */
interface OwnTable extends Table {
  readonly folder: string;
}

/** The tables that services own; that of the task store is everybody's. */
export function ownTables(tree: Tree): OwnTable[] {
  return tablesOf(tree.stack.resources).flatMap((table) => {
    const folder = tree.ownerOf(table.id);
    return folder === undefined ? [] : [{ ...table, folder }];
  });
}

/** A service's table is its own. */
export const tablesHaveOneOwner: Rule = {
  name: 'a service knows no table but its own',
  breaches: (tree) =>
    ownTables(tree).flatMap((table) => accessOfOthers(table, tree).concat(namedByOthers(table, tree))),
};

function accessOfOthers({ id, folder }: OwnTable, tree: Tree): Breach[] {
  return tree.functions
    .filter((own) => own.folder !== folder && id in tablesIn(own.access))
    .map((own) => ({
      at: tree.placeOf(own, 'access', 'tables', id),
      found: `${own.name} may use ${id}, the table of ${folder}`,
      expected: `Delete it, and ask ${folder} by a task`,
    }));
}

/** Files of others that name a variable that has the table's name, and functions of others that are given it. */
function namedByOthers({ name, folder }: OwnTable, tree: Tree): Breach[] {
  const { repository, parts } = tree;
  const environments = Object.values(parts.get(folder)?.functions ?? {}).map((own) => own.environment ?? {});
  const variables = environments.flatMap((each) => Object.keys(each).filter((key) => each[key] === name));
  const usual = `${name.slice(STAGE_PREFIX.length).replaceAll('-', '_').toUpperCase()}_TABLE`;
  const naming = new RegExp(`\\b(?:${[...new Set([usual, ...variables])].join('|')})\\b`);
  const expected = `Delete it, and ask ${folder} by a task`;
  const inFiles = repository.files
    .filter((path) => /^(functions|worker|common)\//.test(path) && !path.startsWith(`${folder}/`))
    .flatMap((file) =>
      linesOf(repository.textOf(file)).flatMap(({ text, line }) => {
        const [variable] = naming.exec(text) ?? [];
        if (variable === undefined) return [];
        return [{ at: { file, line }, found: `it names ${variable}, the table of ${folder}`, expected }];
      }),
    );
  const given = tree.functions
    .filter((own) => own.folder !== folder)
    .flatMap((own) =>
      Object.entries(own.environment ?? {})
        .filter(([, value]) => value === name)
        .map(([variable]) => ({
          at: tree.placeOf(own, 'environment', variable),
          found: `${variable} of ${own.name} is ${withStage(name)}, the table of ${folder}`,
          expected,
        })),
    );
  return [...inFiles, ...given];
}

function linesOf(text: string) {
  return text.split('\n').map((each, index) => ({ text: each, line: index + 1 }));
}

/** Lost data can be restored, and expired rows are deleted. */
export const tablesAreKept: Rule = {
  name: 'every table can be restored, forgets what has expired, and is paid by request',
  breaches: (tree) =>
    ownTables(tree).flatMap(({ id, properties }) => {
      const { PointInTimeRecoverySpecification, TimeToLiveSpecification, BillingMode } = properties;
      const { PointInTimeRecoveryEnabled } = (PointInTimeRecoverySpecification ?? {}) as Record<
        string,
        unknown
      >;
      const { AttributeName, Enabled } = (TimeToLiveSpecification ?? {}) as Record<string, unknown>;
      const missing: [boolean, string, string, string][] = [
        [
          PointInTimeRecoveryEnabled === true,
          'PointInTimeRecoverySpecification',
          'cannot be restored to a time',
          'PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }',
        ],
        [
          AttributeName === 'expiresAt' && Enabled === true,
          'TimeToLiveSpecification',
          'keeps rows that have expired: Intake writes expiresAt',
          'TimeToLiveSpecification: { AttributeName: expiresAt, Enabled: true }',
        ],
        [
          BillingMode === 'PAY_PER_REQUEST',
          'BillingMode',
          'is not paid by request',
          'BillingMode: PAY_PER_REQUEST',
        ],
      ];
      return missing
        .filter(([isThere]) => !isThere)
        .map(([, member, what, expected]) => ({
          at: tree.placeOfResource(id, 'Properties', member),
          found: `the table ${id} ${what}`,
          expected: `Write ${expected}`,
        }));
    }),
};

/** The tables of an `access`, as far as it has the form. */
function tablesIn(access: unknown): object {
  const { tables } = (access ?? {}) as { readonly tables?: unknown };
  return typeof tables === 'object' && tables !== null ? tables : {};
}
