/** A node of a syntax tree, as the parser makes it (Babel AST). */
export interface AstNode {
  readonly type: string;
  readonly loc?: { readonly start: { readonly line: number } } | null;
  readonly [member: string]: unknown;
}

/** A node and all nodes below it, in the order in which they are written. */
export function nodesOf(root: AstNode): AstNode[] {
  const nodes: AstNode[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const each of value) visit(each);
    else if (isNode(value)) {
      nodes.push(value);
      for (const member of Object.values(value)) visit(member);
    }
  };
  visit(root);
  return nodes;
}

/** The text of a string in quotes, or of a template without `${}`; undefined of any other node. */
export function literalOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'StringLiteral') return node['value'] as string;
  if (node.type !== 'TemplateLiteral') return undefined;
  const [first, ...others] = node['quasis'] as AstNode[];
  return first && others.length === 0 ? textOfQuasi(first) : undefined;
}

/** The text between two `${}` of a template. */
export function textOfQuasi({ value }: AstNode): string {
  const { cooked, raw } = value as { readonly cooked?: string | null; readonly raw: string };
  return cooked ?? raw;
}

/** Names and members as they are written: `service.tasks.send` of that expression, `''` of any other. */
export function pathOf(node: unknown): string {
  if (!isNode(node)) return '';
  switch (node.type) {
    case 'Identifier':
      return node['name'] as string;
    case 'ThisExpression':
      return 'this';
    case 'MemberExpression':
    case 'OptionalMemberExpression': {
      const member = node['computed'] ? literalOf(node['property']) : pathOf(node['property']);
      return `${pathOf(node['object'])}.${member ?? ''}`;
    }
    case 'PrivateName':
      return `#${pathOf(node['id'])}`;
    // What a type says of a value does not change which it is
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
    case 'ParenthesizedExpression':
      return pathOf(node['expression']);
    default:
      return '';
  }
}

/** Whether a value is a node of a syntax tree. */
export function isNode(value: unknown): value is AstNode {
  return typeof value === 'object' && value !== null && typeof (value as AstNode).type === 'string';
}
