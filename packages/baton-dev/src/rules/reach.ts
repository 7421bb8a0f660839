// The code that a function can run.
import { type AstNode, isNode, nodesOf, pathOf } from '../sources/ast.ts';
import type { Repository } from '../sources/repository.ts';
import { handlerOf } from './functions.ts';
import { isDeployed } from './paths.ts';
import type { OwnFunction, Tree } from './tree.ts';

/** A class or an object, whose members run only if code uses them. */
interface Thing {
  readonly file: string;
  /** The `new` that makes it; undefined of an object. */
  readonly made: AstNode | undefined;
  /** Undefined of a class from outside. */
  readonly body: AstNode | undefined;
}

/** A name at the top of a file, or an expression there. */
interface Found {
  readonly file: string;
  readonly node: AstNode;
}

/** Types say nothing of what runs, except those that are written around a value. */
const AROUND_VALUES = /^TS(?:As|Satisfies|NonNull)Expression$/;
/** The most times that a name may be imported and exported again. */
const MAX_HOPS = 20;

/**
 * The code that a function runs, as far as it is seen: what its handler names, what that names, and so on, through the
 * imports of what is deployed. Of what is made by `new` at the top of a file, and of an object there, only the methods that
 * code calls.
 *
 * It does not see calls by a parameter, a local variable or a computed name.
 */
export class Reach {
  readonly #repository: Repository;
  /** Declarations and methods that it runs. */
  readonly #run = new Set<AstNode>();
  /** The nodes inside them. */
  readonly #inside = new Set<AstNode>();
  /** Each `new` of which it uses a member. */
  readonly #used = new Set<AstNode>();

  constructor({ repository }: Tree, own: OwnFunction) {
    this.#repository = repository;
    const { file, name } = handlerOf(own);
    if (repository.has(file)) this.#follow(file, name);
  }

  /** Whether the function runs a call. */
  runs(call: AstNode): boolean {
    return this.#inside.has(call);
  }

  /** Whether the function uses a member of what a `new` makes. */
  uses(made: AstNode): boolean {
    return this.#used.has(made);
  }

  /** Follows a name to what declares it. */
  #follow(file: string, name: string): void {
    const found = this.#origin(file, name);
    if (found) this.#runCode(found, this.#classOf(found));
  }

  #runCode({ file, node }: Found, self: Thing | undefined): void {
    if (this.#run.has(node)) return;
    this.#run.add(node);
    this.#walk(file, node, self);
  }

  #walk(file: string, node: AstNode, self: Thing | undefined): void {
    if (node.type.startsWith('TS') && !AROUND_VALUES.test(node.type)) return;
    this.#inside.add(node);
    if (node.type === 'Identifier') this.#follow(file, pathOf(node));
    if (isMember(node)) this.#useMember(file, node, self);
    const { key, property, computed, ...others } = node;
    const parts = [...(computed ? [key, property] : []), ...Object.values(others)].flat();
    // The functions of an object that is declared run when they are called, those of another when it is handed on
    const object = this.#run.has(node) && isNode(node['init']) ? membersOf(node['init']) : [];
    const eager = object.length > 0 ? object.filter((each) => !isFunctionMember(each)) : parts;
    for (const part of eager) if (isNode(part) && !isMethod(part)) this.#walk(file, part, self);
  }

  /** Follows `samples.find`, `this.#read` and `this.#intake.accept` to the member. */
  #useMember(file: string, node: AstNode, self: Thing | undefined): void {
    const object = node['object'] as AstNode;
    const name = node['computed'] ? '' : pathOf(node['property']);
    const all = this.#imported(file, pathOf(object));
    if (all?.name === '*') this.#follow(all.file, name);
    const thing = this.#thingOf({ file, node: object }, self);
    if (thing?.made) this.#used.add(thing.made);
    if (thing) this.#runMember(thing, name);
  }

  #runMember(thing: Thing, name: string): void {
    const member = membersOf(thing.body).find(({ key }) => pathOf(key) === name);
    if (member) return this.#runCode({ file: thing.file, node: member }, thing);
    const parent = this.#classNamed(thing.file, pathOf(thing.body?.['superClass']));
    if (parent) this.#runMember(parent, name);
  }

  /** The meaning of an expression: something that is made at the top of a file, `this`, or a field of it. */
  #thingOf({ file, node }: Found, self: Thing | undefined): Thing | undefined {
    if (node.type === 'ThisExpression') return self;
    if (node.type === 'ObjectExpression') return { file, made: undefined, body: node };
    if (node.type === 'NewExpression')
      return { file, body: undefined, ...this.#classNamed(file, pathOf(node['callee'])), made: node };
    if (node.type === 'Identifier') {
      const found = this.#origin(file, pathOf(node));
      const init = found?.node['init'];
      // What is in a pattern is a part of it
      if (!found || !isNode(init) || pathOf(found.node['id']) === '' || init.type === 'Identifier')
        return undefined;
      return this.#thingOf({ file: found.file, node: init }, undefined);
    }
    const field = isMember(node) && self?.body ? fieldsOf(self.body).get(pathOf(node)) : undefined;
    // A field may be set to itself by way of others
    return field?.type === 'NewExpression' && self
      ? this.#thingOf({ file: self.file, node: field }, self)
      : undefined;
  }

  #classNamed(file: string, name: string): Thing | undefined {
    const found = this.#origin(file, name);
    return found && this.#classOf(found);
  }

  #classOf({ file, node }: Found): Thing | undefined {
    return node.type === 'ClassDeclaration' ? { file, made: undefined, body: node } : undefined;
  }

  /** The declaration of a name, in the file or in the file that it is imported from. */
  #origin(file: string, name: string): Found | undefined {
    let at: { readonly file: string; readonly name: string } | undefined = { file, name };
    for (let hops = 0; at && hops < MAX_HOPS; hops++) {
      const node = this.#repository.codeAt(at.file).declarations.get(at.name);
      if (node) return { file: at.file, node };
      at = this.#imported(at.file, at.name);
    }
    return undefined;
  }

  /** The deployed file that a name is imported from, and what it is called there: `*` for all of it. */
  #imported(file: string, name: string): { readonly file: string; readonly name: string } | undefined {
    const source = this.#repository.sourceAt(file);
    for (const { request, names } of source.imports) {
      const own = names.find((each) => (each.local ?? each.exported) === name);
      const target = own && this.#repository.fileOfImport(source, request);
      if (own && target?.endsWith('.ts') && isDeployed(target) && this.#repository.has(target))
        return { file: target, name: own.imported };
    }
    return undefined;
  }
}

function isMember({ type }: AstNode): boolean {
  return type === 'MemberExpression' || type === 'OptionalMemberExpression';
}

/** Whether a part of a class runs only when it is called. */
function isMethod({ type, kind, value }: AstNode): boolean {
  if (/^Class(?:Private)?Method$/.test(type)) return kind !== 'constructor';
  return /^Class(?:Private)?Property$/.test(type) && isFunction(value);
}

/** Whether a member of an object runs only when it is called. */
function isFunctionMember({ type, value }: AstNode): boolean {
  return type === 'ObjectMethod' || isFunction(value);
}

function isFunction(value: unknown): boolean {
  return isNode(value) && /^(?:Arrow)?Function/.test(value.type);
}

/** The members of a class or an object; none of any other node. */
function membersOf(body: AstNode | undefined): readonly AstNode[] {
  if (body?.type === 'ObjectExpression') return body['properties'] as readonly AstNode[];
  if (body?.type !== 'ClassDeclaration') return [];
  return (body['body'] as AstNode)['body'] as readonly AstNode[];
}

/** The values of the fields of a class, by their paths: `this.#intake`. */
function fieldsOf(body: AstNode): ReadonlyMap<string, AstNode> {
  const nodes = nodesOf(body);
  return new Map(
    nodes.flatMap(({ type, left, right, key, value }): [string, AstNode][] => {
      if (type === 'AssignmentExpression' && isNode(right)) return [[pathOf(left), right]];
      return /^Class(?:Private)?Property$/.test(type) && isNode(value)
        ? [[`this.${pathOf(key)}`, value]]
        : [];
    }),
  );
}
