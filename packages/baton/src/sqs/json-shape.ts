// The shape of a JSON text, found without building its values.

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * The most bytes that V8 needs for the parts of a JSON text, measured with the worst texts: a list or an object, a member,
 * another item, and each character.
 */
const CONTAINER_BYTES = 64;
const MEMBER_BYTES = 96;
const ITEM_BYTES = 16;
const CHARACTER_BYTES = 2;
/** No text needs more bytes for each of its characters. */
const MOST_BYTES_A_CHARACTER = 34;
/** A shorter text is not looked through: the most that it may need is little. */
const SHORT_CHARACTERS = 4096;

/** Up to here a loop finds the end of a text in less time than a search. */
const SHORT_TEXT_CHARACTERS = 32;

/** The shape of a JSON text. */
export interface JsonShape {
  /** How many lists and objects stand in each other. 0 for a number or a text. */
  readonly levels: number;
  /** How many values it has, lists and objects among them. Empty ones may count twice. */
  readonly values: number;
  /** About how many bytes its values need in memory, and not fewer. */
  readonly memoryBytes: number;
}

/** Finds the shape of a JSON text in one pass. Of a text that is not JSON it finds some shape. */
export function shapeOf(json: string): JsonShape {
  let level = 0;
  let levels = 0;
  let values = 1;
  let memoryBytes = json.length * CHARACTER_BYTES;
  for (let at = 0; at < json.length; at += 1) {
    switch (json.charCodeAt(at)) {
      case QUOTE:
        at = endOfText(json, at);
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        level += 1;
        if (level > levels) levels = level;
        values += 1;
        memoryBytes += CONTAINER_BYTES;
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        level -= 1;
        break;
      case COLON:
        memoryBytes += MEMBER_BYTES;
        break;
      case COMMA:
        values += 1;
        memoryBytes += ITEM_BYTES;
        break;
      default:
    }
  }
  return { levels, values, memoryBytes };
}

/** About how many bytes the values of a JSON text need in memory, and not fewer. A guess for a short text. */
export function memoryBytesOf(json: string): number {
  return json.length <= SHORT_CHARACTERS ? json.length * MOST_BYTES_A_CHARACTER : shapeOf(json).memoryBytes;
}

/** The place of the quote that ends the text which begins at `start`. */
function endOfText(json: string, start: number): number {
  const soon = Math.min(start + SHORT_TEXT_CHARACTERS, json.length);
  let at = start + 1;
  for (; at < soon; at += 1) {
    const code = json.charCodeAt(at);
    if (code === BACKSLASH) at += 1;
    else if (code === QUOTE) return at;
  }
  // Of a long text V8 finds the next quote many times faster than a loop
  for (let quote = json.indexOf('"', at); quote >= 0; quote = json.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (quote - backslashes > at && json.charCodeAt(quote - backslashes - 1) === BACKSLASH)
      backslashes += 1;
    if (backslashes % 2 === 0) return quote;
  }
  return json.length;
}
