// The line of a member in YAML or JSON.
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';

/**
 * The line of a member in a text of YAML or JSON, counted from 1. A path that leads nowhere gives the line of the last
 * member on it that is there.
 *
 * @param path - keys, and indexes of lists: `['functions', 'paymentsServiceApi', 'events', '0']`
 */
export function lineIn(text: string, path: readonly string[]): number {
  const lines = new LineCounter();
  let node: unknown = parseDocument(text, { lineCounter: lines, logLevel: 'silent' }).contents;
  let offset = 0;
  for (const step of path) {
    const { at, value } = memberOf(node, step);
    if (at === undefined) break;
    offset = at;
    node = value;
  }
  return lines.linePos(offset).line;
}

function memberOf(
  node: unknown,
  step: string,
): { readonly at?: number | undefined; readonly value?: unknown } {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step);
    return { at: isScalar(pair?.key) ? pair.key.range?.[0] : undefined, value: pair?.value };
  }
  const item = isSeq(node) ? node.items[Number(step)] : undefined;
  return isNode(item) ? { at: item.range?.[0], value: item } : {};
}
