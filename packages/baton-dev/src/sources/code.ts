// Calls and names in source code.
import { type AstNode, isNode, literalOf, nodesOf, pathOf, textOfQuasi } from './ast.ts';
import { parsed } from './source.ts';

/** A call, or a `new`. */
export interface Call {
  /** The called expression, as written: `service.tasks.send`. */
  readonly path: string;
  /** The last name of it: `send`. */
  readonly name: string;
  readonly arguments: readonly AstNode[];
  readonly line: number;
  readonly node: AstNode;
  /** The constant or variable that is made of it: `records` of `const records = createConsumer(...)`. */
  readonly makes: string | undefined;
}

/** A text, a name or a member, and where it stands. */
export interface Word {
  readonly text: string;
  readonly line: number;
}

/** A member of an object literal, or of what is taken out of an object. */
export interface Property extends Word {
  readonly node: AstNode;
  readonly value: unknown;
}

/** The code of a file, beside its imports and exports. */
export interface Code {
  readonly calls: readonly Call[];
  /** Texts in quotes and the parts of templates, without the paths of imports. */
  readonly texts: readonly Word[];
  /** Members of names: `process.env`. */
  readonly members: readonly Word[];
  readonly properties: readonly Property[];
  /** The names that are taken out of objects: `process.env` of `const { env } = process`. */
  readonly taken: readonly Word[];
  /** Functions, classes and variables that are declared at the top of the file, by their names. */
  readonly declarations: ReadonlyMap<string, AstNode>;
}

/** Reads what a TypeScript file's code says. */
export function readCode(path: string, text: string): Code {
  const program = parsed(path, text).program as unknown as AstNode;
  const nodes = nodesOf(program);
  const sources = new Set(nodes.flatMap(({ source }) => source ?? []));
  const made = new Map(nodes.filter(({ init }) => init).map(({ init, id }) => [init, pathOf(id)]));
  return {
    calls: nodes.flatMap((node) => callOf(node, made.get(node))),
    texts: nodes.filter((node) => !sources.has(node)).flatMap(textOf),
    members: nodes.flatMap(memberOf),
    properties: nodes.flatMap(propertyOf),
    taken: nodes.flatMap(takenBy),
    declarations: new Map((program['body'] as AstNode[]).flatMap(declaredBy)),
  };
}

function declaredBy(statement: AstNode): [string, AstNode][] {
  const { type, declaration, declarations, id } = statement;
  if (isNode(declaration)) {
    const own = declaredBy(declaration);
    return type === 'ExportDefaultDeclaration' ? [...own, ['default', declaration]] : own;
  }
  if (type === 'FunctionDeclaration' || type === 'ClassDeclaration') return [[pathOf(id), statement]];
  if (type !== 'VariableDeclaration') return [];
  return (declarations as AstNode[]).flatMap((each) =>
    namesIn(each['id'] as AstNode).map((name): [string, AstNode] => [name, each]),
  );
}

/** The names that a declaration gives, those in a pattern included. */
function namesIn(target: AstNode): string[] {
  if (target.type !== 'ObjectPattern') return [pathOf(target)];
  return (target['properties'] as AstNode[]).flatMap(propertyOf).map(({ value }) => pathOf(value));
}

function lineOf({ loc }: AstNode): number {
  return loc?.start.line ?? 0;
}

function callOf(node: AstNode, makes: string | undefined): Call[] {
  if (!['CallExpression', 'OptionalCallExpression', 'NewExpression'].includes(node.type)) return [];
  const path = pathOf(node['callee']);
  const name = path.slice(path.lastIndexOf('.') + 1);
  return [{ path, name, arguments: node['arguments'] as AstNode[], line: lineOf(node), node, makes }];
}

function textOf(node: AstNode): Word[] {
  const text = node.type === 'TemplateElement' ? textOfQuasi(node) : literalText(node);
  return text === undefined ? [] : [{ text, line: lineOf(node) }];
}

function literalText(node: AstNode): string | undefined {
  return node.type === 'StringLiteral' ? literalOf(node) : undefined;
}

function memberOf(node: AstNode): Word[] {
  const isMember = node.type === 'MemberExpression' || node.type === 'OptionalMemberExpression';
  return isMember ? [{ text: pathOf(node), line: lineOf(node) }] : [];
}

function propertyOf(node: AstNode): Property[] {
  if (node.type !== 'ObjectProperty' || node['computed']) return [];
  const text = literalOf(node['key']) ?? pathOf(node['key']);
  return [{ text, line: lineOf(node), node, value: node['value'] }];
}

function takenBy(node: AstNode): Word[] {
  const [target, from] =
    node.type === 'VariableDeclarator' ? [node['id'], node['init']] : [node['left'], node['right']];
  const { type, properties } = (target ?? {}) as AstNode;
  if (type !== 'ObjectPattern') return [];
  return (properties as AstNode[]).flatMap(propertyOf).map(({ text, line }) => ({
    text: `${pathOf(from)}.${text}`,
    line,
  }));
}
