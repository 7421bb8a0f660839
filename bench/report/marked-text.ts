/** What stands between the markers of a name; undefined where there are none. */
export function markedText(page: string, name: string): string | undefined {
  const found = placeOf(page, name);
  return found && page.slice(found.start, found.end).trim();
}

/** The page with other text between the markers of a name; everything else is left as it is. @throws where there are none */
export function withMarkedText(page: string, name: string, text: string): string {
  const found = placeOf(page, name);
  if (!found) throw new Error(`the page has no line ${opening(name)} with ${closing(name)} after it`);
  return `${page.slice(0, found.start)}\n\n${text}\n\n${page.slice(found.end)}`;
}

/** Text with the markers of a name around it, to be put into a page. */
export function marked(name: string, text: string): string {
  return `${opening(name)}\n\n${text}\n\n${closing(name)}`;
}

const opening = (name: string): string => `<!-- bench:${name} -->`;
const closing = (name: string): string => `<!-- /bench:${name} -->`;

/** Where the text between the markers begins and ends. */
function placeOf(page: string, name: string): { readonly start: number; readonly end: number } | undefined {
  const opened = page.indexOf(opening(name));
  if (opened === -1) return undefined;
  const start = opened + opening(name).length;
  const end = page.indexOf(closing(name), start);
  return end === -1 ? undefined : { start, end };
}
