// A program: loads one function as Lambda would, in the environment of a deploy, and reports the routes of its API.
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import type { ApiHandler } from 'baton-tasks/http';

/** The report of a function that has started. */
export interface LoadReport {
  /** The routes of its API. Undefined if it is no API, or one that `createApi` has not made. */
  readonly routes: readonly DeclaredRoute[] | undefined;
}

/** A route as an API declares it. */
export type DeclaredRoute = Pick<
  NonNullable<ApiHandler['routes']>[number],
  'method' | 'path' | 'access' | 'throttle'
>;

const [, , handler = ''] = process.argv;
const [, file = '', name = ''] = /^(.*)\.(\w+)$/.exec(handler) ?? [];
// A wrong variable ends the process here, with a line that says which
const loaded = (await import(pathToFileURL(resolve(`${file}.ts`)).href)) as Readonly<Record<string, unknown>>;
const made = loaded[name];
if (typeof made !== 'function') throw new TypeError(`${file}.ts: expected it to export the function ${name}`);
const { routes } = made as Partial<ApiHandler>;
const report: LoadReport = {
  routes: routes?.map(({ method, path, access, throttle }) => ({ method, path, access, throttle })),
};
process.send?.(report, () => process.exit(0));
