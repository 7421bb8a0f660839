/** The text between the markers of a name; undefined if the page lacks them. */
export function markedText(page: string, name: string): string | undefined {
  const found = placeOf(page, name);
  return found && page.slice(found.start, found.end).trim();
}

/** Replaces the text between the markers of a name. @throws Error if the page lacks the markers */
export function withMarkedText(page: string, name: string, text: string): string {
  const found = placeOf(page, name);
  if (!found)
    throw new Error(`the page lacks markers; expected ${opening(name)} and ${closing(name)} after it`);
  return `${page.slice(0, found.start)}\n\n${text}\n\n${page.slice(found.end)}`;
}

/** Puts the markers of a name around a text. */
export function marked(name: string, text: string): string {
  return `${opening(name)}\n\n${text}\n\n${closing(name)}`;
}

const opening = (name: string): string => `<!-- bench:${name} -->`;
const closing = (name: string): string => `<!-- /bench:${name} -->`;

/** The start and the end of the text between the markers. */
function placeOf(page: string, name: string): { readonly start: number; readonly end: number } | undefined {
  const opened = page.indexOf(opening(name));
  if (opened === -1) return undefined;
  const start = opened + opening(name).length;
  const end = page.indexOf(closing(name), start);
  return end === -1 ? undefined : { start, end };
}
