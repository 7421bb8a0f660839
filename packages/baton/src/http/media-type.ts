// Media types (RFC 9110, section 8.3.1).
const TOKEN = "[\\w!#$%&'*+.^`|~-]+";
const TYPE = new RegExp(`^(?<type>${TOKEN}/${TOKEN})`);
/** A semicolon, and a parameter or nothing (RFC 9110, section 5.6.6). */
const PARAMETER = new RegExp(
  `[ \\t]*;[ \\t]*(?:(?<name>${TOKEN})=(?:(?<token>${TOKEN})|"(?<quoted>(?:[^"\\\\]|\\\\.)*)"))?`,
  'y',
);

/** A media type (RFC 9110, section 8.3.1). */
export interface MediaType {
  /** In lower case, such as `application/json`. */
  readonly type: string;
  /** By their names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Reads a `content-type` header. Returns undefined if it is not a media type. */
export function parseMediaType(header: string): MediaType | undefined {
  const text = header.trim();
  const { type } = TYPE.exec(text)?.groups ?? {};
  if (type === undefined) return undefined;
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = type.length;
  while (PARAMETER.lastIndex < text.length) {
    const groups = PARAMETER.exec(text)?.groups;
    if (!groups) return undefined;
    const { name, token, quoted = '' } = groups;
    if (name !== undefined) parameters.set(name.toLowerCase(), token ?? quoted.replaceAll(/\\(.)/g, '$1'));
  }
  return { type: type.toLowerCase(), parameters };
}
