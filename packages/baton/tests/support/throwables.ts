import { runInNewContext } from 'node:vm';
import { inspect } from 'node:util';
import { PostponeTask, RejectTask, RetryTask } from 'baton-tasks';
import * as fc from 'fast-check';

/** A subclass of a control error, as a service may define it. */
export class CardDeclined extends RejectTask {
  readonly decline = { code: 51, at: new Date(0) };
}

const CLASSES = [Error, TypeError, RangeError, RejectTask, RetryTask, CardDeclined];
/** Members of an error that some code reads. */
const MEMBERS = ['name', 'message', 'stack', 'cause', 'errors', 'constructor', 'toString', 'toJSON', 'code'];

const fail = (): never => {
  throw new TypeError('this cannot be read');
};

/** Makes a value. fast-check cannot hold some values itself, such as a revoked Proxy. */
type Make = () => unknown;

const odd: fc.Arbitrary<Make> = fc.oneof(
  fc
    .anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withTypedArray: true,
      withSparseArray: true,
    })
    .map((value) => () => value),
  fc.constantFrom<Make[]>(
    () => undefined,
    () => null,
    () => Symbol('thrown'),
    () => () => 1,
    () => CardDeclined,
    () => '',
    () => 'x'.repeat(2_000_000),
    () => '\u0000\uD800\uFFFF😀',
    () => NaN,
    () => 10n ** 30n,
  ),
);

/** Ways to make a value hard to handle. */
const hardships: ((error: object) => unknown)[] = [
  (error) => error,
  Object.freeze,
  Object.seal,
  (error) => Object.setPrototypeOf(error, null) as object,
  (error) => Object.defineProperty(error, inspect.custom, { value: fail }),
  (error) => Object.defineProperty(error, Symbol.toPrimitive, { value: fail }),
  (error) => Object.defineProperty(error, Symbol.toStringTag, { get: fail }),
  (error) => new Proxy(error, {}),
  (error) => new Proxy(error, { get: fail, getPrototypeOf: fail, ownKeys: fail, has: fail }),
  (error) => {
    const { proxy, revoke } = Proxy.revocable(error, {});
    revoke();
    return proxy;
  },
  ...MEMBERS.map((member) => (error: object) => {
    Object.defineProperty(error, member, { get: fail, enumerable: true });
    return Object.freeze(error);
  }),
];

const { thrown } = fc.letrec<{ thrown: Make; error: Make }>((tie) => ({
  thrown: fc.oneof({ depthSize: 'small' }, tie('error'), odd),
  error: fc
    .record({
      constructor: fc.constantFrom(...CLASSES),
      members: fc.dictionary(fc.constantFrom(...MEMBERS, 'delaySeconds', 'issues', '__proto__'), odd, {
        maxKeys: 3,
      }),
      cause: fc.option(tie('thrown'), { nil: undefined }),
      inCircle: fc.boolean(),
      hardship: fc.constantFrom(...hardships),
    })
    .map(({ constructor, members, cause, inCircle, hardship }) => () => {
      const error: Error = new constructor('no', { cause: cause?.() });
      const own = Object.entries(members).map(([name, make]): [string, unknown] => [name, make()]);
      for (const [name, value] of [...own, ...(inCircle ? [['cause', error] as const] : [])])
        Object.defineProperty(error, name, { value, configurable: true, enumerable: true, writable: true });
      return hardship(error);
    }),
}));

const round = new Error('round');
round.cause = new AggregateError([round, round, round], 'round', { cause: round });

/** Values that broke something before, or are likely to. */
export const KNOWN_THROWABLES: readonly (readonly [string, unknown])[] = [
  ['a frozen error', Object.freeze(new Error('card declined'))],
  ['a frozen RejectTask', Object.freeze(new RejectTask('card declined'))],
  ['a message that is an array', Object.assign(new Error('no'), { message: ['card declined'] })],
  ['a name that is a number', Object.assign(new Error('no'), { name: 404 })],
  ['a stack that is an object', Object.assign(new Error('no'), { stack: {} })],
  ['causes in a circle', round],
  ['thousands of errors', new AggregateError(Array.from({ length: 5000 }, () => new Error('x'.repeat(500))))],
  ['an error of another realm', runInNewContext("Object.freeze(new TypeError('foreign'))")],
  ['a frozen error among causes', new Error('no', { cause: Object.freeze(new Error('cause')) })],
  ['a Proxy that was revoked', hardships[9]?.(new RejectTask('no'))],
  ['undefined', undefined],
  ['null', null],
  ['a symbol', Symbol('thrown')],
  ['an object without a prototype', Object.create(null)],
  ['an object', { code: 51, message: 'declined' }],
  ['a promise that fails', Object.assign(Promise.resolve(), { message: Promise.resolve() })],
  [
    'PostponeTask with a text for a delay',
    Object.assign(new PostponeTask('x', { delaySeconds: 1 }), { delaySeconds: 'a' }),
  ],
];

/** Random values that a handler can throw. */
export const throwables: fc.Arbitrary<Make> = fc.oneof(
  fc.constantFrom(
    ...KNOWN_THROWABLES.map(
      ([, known]) =>
        () =>
          known,
    ),
  ),
  thrown,
);
