// DynamoDB's expressions, as far as the task store uses them: conditions and updates of one row.
import { types } from 'node:util';

/** A row, as the document client has it. */
export type Item = Record<string, unknown>;

/** The values of an expression's placeholders. */
export interface Placeholders {
  readonly names?: Readonly<Record<string, string>> | undefined;
  readonly values?: Readonly<Record<string, unknown>> | undefined;
}

const TOKEN = /\s*(<>|<=|>=|[=<>(),+-]|[#:]?\w[\w.#]*)/gy;
const COMPARISONS = new Set(['=', '<>', '<', '<=', '>', '>=']);

/** Whether a row meets a condition. @param item - undefined if there is no such row */
export function meets(condition: string, item: Item | undefined, placeholders: Placeholders): boolean {
  return new Expression(condition, item ?? {}, placeholders).condition();
}

/** Returns a row after an update. All operands have their values before the update. */
export function updated(update: string, item: Item, placeholders: Placeholders): Item {
  return new Expression(update, item, placeholders).update();
}

/** Copies a value without members that are undefined, which a document client does not write. */
export function copyOf<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(copyOf) as Value;
  if (types.isSet(value)) return new Set(value) as Value;
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, copyOf(member as unknown)])) as Value;
}

/** One expression, read from left to right and evaluated on the way. */
class Expression {
  readonly #tokens: readonly string[];
  readonly #item: Item;
  readonly #placeholders: Placeholders;
  #next = 0;

  constructor(text: string, item: Item, placeholders: Placeholders) {
    this.#tokens = tokensOf(text);
    this.#item = item;
    this.#placeholders = placeholders;
  }

  condition(): boolean {
    const met = this.#or();
    if (this.#next < this.#tokens.length) throw this.#invalid('the end');
    return met;
  }

  update(): Item {
    const item = copyOf(this.#item);
    while (this.#next < this.#tokens.length) {
      const section = this.#take();
      do {
        const path = this.#path();
        if (section === 'SET') {
          this.#expect('=');
          put(item, path, this.#sum());
        } else if (section === 'REMOVE') {
          put(item, path, undefined);
        } else if (section === 'ADD') {
          put(item, path, union(read(this.#item, path), this.#operand()));
        } else {
          throw this.#invalid('SET, REMOVE or ADD');
        }
      } while (this.#skip(','));
    }
    return item;
  }

  #or(): boolean {
    let met = this.#and();
    while (this.#skip('OR')) met = this.#and() || met;
    return met;
  }

  #and(): boolean {
    let met = this.#comparison();
    while (this.#skip('AND')) met = this.#comparison() && met;
    return met;
  }

  #comparison(): boolean {
    if (this.#skip('(')) {
      const met = this.#or();
      this.#expect(')');
      return met;
    }
    for (const [name, whenThere] of [
      ['attribute_exists', true],
      ['attribute_not_exists', false],
    ] as const) {
      if (!this.#skip(name)) continue;
      this.#expect('(');
      const isThere = read(this.#item, this.#path()) !== undefined;
      this.#expect(')');
      return isThere === whenThere;
    }
    const left = this.#operand();
    if (this.#skip('IN')) return this.#list().includes(left);
    const operator = this.#take();
    if (!COMPARISONS.has(operator)) throw this.#invalid('a comparison');
    return compared(left, operator, this.#operand());
  }

  #list(): unknown[] {
    this.#expect('(');
    const values = [this.#operand()];
    while (this.#skip(',')) values.push(this.#operand());
    this.#expect(')');
    return values;
  }

  /** Reads an operand of a write. DynamoDB refuses a missing one. */
  #sum(): unknown {
    const left = this.#written();
    if (this.#skip('+')) return Number(left) + Number(this.#written());
    if (this.#skip('-')) return Number(left) - Number(this.#written());
    return left;
  }

  #written(): unknown {
    const value = this.#operand();
    if (value !== undefined) return value;
    throw validationError('The expression has an attribute that is missing in the row');
  }

  #operand(): unknown {
    if (this.#skip('if_not_exists')) {
      this.#expect('(');
      const known = read(this.#item, this.#path());
      this.#expect(',');
      const otherwise = this.#operand();
      this.#expect(')');
      return known ?? otherwise;
    }
    const token = this.#tokens[this.#next] ?? '';
    if (!token.startsWith(':')) return read(this.#item, this.#path());
    const { values = {} } = this.#placeholders;
    if (!(token in values)) throw validationError(`The expression has no value for ${token}`);
    this.#next += 1;
    return values[token];
  }

  /** Reads the path of a member, the outermost name first. */
  #path(): string[] {
    return this.#take()
      .split('.')
      .map((name) => {
        const real = name.startsWith('#') ? this.#placeholders.names?.[name] : name;
        if (real === undefined) throw validationError(`The expression has no name for ${name}`);
        return real;
      });
  }

  #take(): string {
    const token = this.#tokens[this.#next];
    if (token === undefined) throw this.#invalid('more');
    this.#next += 1;
    return token;
  }

  #skip(token: string): boolean {
    const isNext = this.#tokens[this.#next] === token;
    if (isNext) this.#next += 1;
    return isNext;
  }

  #expect(token: string): void {
    if (!this.#skip(token)) throw this.#invalid(token);
  }

  #invalid(expected: string): Error {
    const token = this.#tokens[this.#next] ?? 'the end';
    return validationError(`The expression cannot be read: expected ${expected}, got ${token}`);
  }
}

/** Makes the error that DynamoDB throws for an invalid request. */
function validationError(message: string): Error {
  return Object.assign(new Error(message), { name: 'ValidationException' });
}

function tokensOf(text: string): string[] {
  const tokens = [...text.matchAll(TOKEN)];
  const end = tokens.reduce((length, [token]) => length + token.length, 0);
  if (end < text.trimEnd().length) throw validationError(`The expression cannot be read: ${text.slice(end)}`);
  return tokens.map(([, token = '']) => token);
}

function compared(left: unknown, operator: string, right: unknown): boolean {
  if (operator === '=') return left === right;
  if (operator === '<>') return left !== right;
  const ordered =
    (typeof left === 'number' && typeof right === 'number') ||
    (typeof left === 'string' && typeof right === 'string');
  if (!ordered) return false;
  const order = left < right ? -1 : Number(left > right);
  if (operator.startsWith('<')) return order < 0 || (operator === '<=' && order === 0);
  return order > 0 || (operator === '>=' && order === 0);
}

function read(item: Item, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => (isItem(value) ? value[name] : undefined), item);
}

/** Writes a member, or removes it if `value` is undefined. The object or row around it must exist. */
function put(item: Item, path: readonly string[], value: unknown): void {
  const holder = read(item, path.slice(0, -1));
  const name = path.at(-1) ?? '';
  if (!isItem(holder)) throw validationError(`The row has no object for ${path.join('.')}`);
  if (value === undefined) delete holder[name];
  else holder[name] = copyOf(value);
}

function union(known: unknown, added: unknown): unknown {
  if (known === undefined) return added;
  if (types.isSet(known) && types.isSet(added)) return new Set([...known, ...added]);
  if (typeof known === 'number' && typeof added === 'number') return known + added;
  throw validationError('ADD expects two sets, or two numbers');
}

function isItem(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !types.isSet(value);
}
