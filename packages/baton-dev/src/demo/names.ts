// The names that could mean the demo.
import type { Demo } from './demo.ts';

/** The names by which code and messages could mean the demo: of services, functions, resources, queues, contracts. */
export function namesOf({ folders, parts, queues, tables, contracts }: Demo): string[] {
  const names = [
    ...folders.map((folder) => folder.slice(folder.lastIndexOf('/') + 1)),
    ...parts.flatMap((part) => [
      ...Object.keys(part.functions ?? {}),
      ...Object.keys(part.resources?.Resources ?? {}),
      ...Object.keys(part.parameters ?? {}),
      ...Object.values(part.functions ?? {}).flatMap(({ environment }) => Object.keys(environment ?? {})),
    ]),
    ...queues,
    ...tables,
    ...contracts.flatMap(({ name, contract }) => [name, contract.name]),
  ];
  return [...new Set(names)];
}

/**
 * Matches names in whatever form: `parcel-service`, `parcelService`, `ParcelServiceUrl`, `PARCEL_SERVICE`, "parcel
 * service", "Parcel services". A name of one word is found in lower case, or as a part of a longer name.
 */
export function namePattern(names: readonly string[]): RegExp {
  const forms = new Set(names.flatMap((name) => formsOf(wordsOf(name))));
  return new RegExp([...forms].join('|'));
}

function formsOf(words: readonly string[]): string[] {
  const [first = '', ...others] = words;
  const [capital = '', ...capitals] = words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1));
  const before = '(?<![A-Za-z0-9])';
  const after = 's?(?![a-z0-9])';
  const whole = [capital, ...capitals].join(' ?');
  return [
    `${before}${[first, ...others].join('[ ._-]')}${after}`,
    `${before}${[first, ...capitals].join('')}${after}`,
    `${before}${words.map((word) => word.toUpperCase()).join('_')}(?![A-Z])`,
    ...(others.length > 0
      ? [`${before}${[capital, ...others].join('[ _-]')}${after}`, `(?<![A-Z])${whole}${after}`]
      : // A sentence may begin with such a word
        [`(?<=[a-z0-9])${whole}${after}`, `${before}${whole}(?=[A-Z])`]),
  ];
}

/** The words of a name, in lower case: `parcel`, `service` of `parcelService`, `PARCEL_SERVICE` and `parcel-service`. */
function wordsOf(name: string): string[] {
  const spaced = /^[A-Z0-9_]+$/.test(name) ? name : name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '-');
  return spaced.toLowerCase().split(/[^a-z0-9]+/);
}
