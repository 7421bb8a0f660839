import { expect, test } from '@jest/globals';
import { Repository } from '../../sources/repository.ts';
import { Reach } from '../reach.ts';
import type { OwnFunction, Tree } from '../tree.ts';

const STORE = `export class Store extends Base {
  #intake = new Intake();
  #later;
  constructor() { super(); this.#later = new Later(); made(); }
  accept() { this.#intake.accept(); }
  find() { return this.#read(); }
  list = () => { listed(); };
  #read() { read(); }
}
class Base {
  constructor() { base(); }
  old() { old(); }
}
export const store = new Store();
export const object = { one() { one(); }, two: () => two(), three: three() };
export function free() { freed(); }
`;

/** The calls of store.ts that a function runs whose handler does something, and those of `new` that it uses. */
function reached(code: string, imports = '{ store, object, free }'): string {
  const texts = {
    'package.json': '{}',
    'functions/a/store.ts': STORE,
    'functions/a/api.ts': `import ${imports} from './store.ts';
const other = () => store.accept();
function step(): Store { ${code} }
export const handler = createApi(step);
export const consumer = createConsumer(other);
`,
  };
  const repository = new Repository('', new Map(Object.entries(texts)));
  const reach = new Reach({ repository } as Tree, { handler: 'functions/a/api.handler' } as OwnFunction);
  const { calls } = repository.codeAt('functions/a/store.ts');
  return calls
    .filter(({ node }) => (node.type === 'NewExpression' ? reach.uses(node) : reach.runs(node)))
    .map(({ path }) => path)
    .filter((path) => path !== '')
    .join(' ');
}

test.each([
  ['nothing', '', ''],
  ['a method, and those that it calls', 'store.find();', 'made this.#read read base Store'],
  ['a field that something else is in', 'store.accept();', 'made this.#intake.accept base Store Intake'],
  ['a function in a field', '(store as Store)?.list; store?.list();', 'made listed base Store'],
  ['an inherited method', 'store.old();', 'made base old Store'],
  ['a function of an object', 'object.one();', 'one three'],
  ['another one', 'return { two: object.two };', 'two three'],
  ['a plain function', 'return { free };', 'freed'],
  ['an unknown one', 'store.lost(); const { find } = object;', 'made base three Store'],
])('a function runs %s', (_what, code, calls) => {
  expect(reached(code).split(' ').toSorted()).toEqual(calls.split(' ').toSorted());
});

test('imports have other names, or one for all', () => {
  expect(reached('stored.find();', '{ store as stored }')).toContain('read');
  expect(reached('all.free();', '* as all')).toBe('freed');
  expect(reached('all.store.find();', '* as all')).toContain('base');
});
