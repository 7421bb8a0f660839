// The functions of functions.yml.
import { DEFAULT_TIMEOUT_SECONDS } from '../stack/serverless.ts';
import type { Rule } from './rule.ts';
import type { OwnFunction, Tree } from './tree.ts';

/** The time limit of a request at API Gateway (Amazon API Gateway Developer Guide, "Quotas for HTTP APIs"). */
const API_TIMEOUT_SECONDS = 30;

/** functions.yml names code that is there. */
export const handlersExist: Rule = {
  name: 'functions.yml names handlers that its folder exports',
  breaches: (tree) =>
    tree.functions.flatMap((own) => {
      const { file, name } = handlerOf(own);
      const place = tree.placeOf(own, 'handler');
      const found = `${own.name} has the handler ${own.handler}`;
      const example = `${own.folder}/api.handler`;
      if (!file.startsWith(`${own.folder}/`))
        return [{ at: place, found, expected: `Name one of this folder, such as ${example}` }];
      if (!tree.repository.has(file))
        return [
          {
            at: place,
            found: `${found}, and there is no ${file}`,
            expected: `Name a file that exists, such as ${example}`,
          },
        ];
      if (exportsOf(tree, file).includes(name)) return [];
      return [
        {
          at: place,
          found: `${found}, and ${file} exports no ${name}`,
          expected: `Write one of its exports behind the dot: ${exportsOf(tree, file).join(', ')}`,
        },
      ];
    }),
};

/** Every caller gets an answer. */
export const apisAnswerInTime: Rule = {
  name: 'a function with routes ends before API Gateway gives it up',
  breaches: (tree) =>
    tree.functions
      .filter(({ events = [] }) => events.some(({ httpApi }) => httpApi !== undefined))
      .filter(({ timeout = DEFAULT_TIMEOUT_SECONDS }) => timeout >= API_TIMEOUT_SECONDS)
      .map((own) => ({
        at: tree.placeOf(own, 'timeout'),
        found: `${own.name} may take ${own.timeout} s, and API Gateway waits ${API_TIMEOUT_SECONDS} s`,
        expected: `Write timeout: ${API_TIMEOUT_SECONDS - 1} or less, and do what takes longer in a task`,
      })),
};

/** The file and the export that a function's handler means. */
export function handlerOf({ handler }: Pick<OwnFunction, 'handler'>): {
  readonly file: string;
  readonly name: string;
} {
  const dot = handler.lastIndexOf('.');
  return { file: `${handler.slice(0, dot)}.ts`, name: handler.slice(dot + 1) };
}

function exportsOf({ repository }: Tree, file: string): string[] {
  const { exports, imports } = repository.sourceAt(file);
  const again = imports.flatMap(({ names }) => names.flatMap(({ exported }) => exported ?? []));
  return [...exports.flatMap(({ names }) => names), ...again];
}
