// Texts made safe for a terminal.

/**
 * The characters that a terminal obeys instead of showing them: control characters (Cc), halves of characters (Cs), ends of
 * lines and paragraphs (Zl, Zp), and marks that turn the direction of a line.
 */
const OBEYED = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;
/** The same, except tabs and ends of lines. */
const OBEYED_IN_LINES = /(?![\t\n])[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/**
 * Shows the characters that a terminal would obey as JSON escapes, such as `\u001b`, so that a text from outside can neither
 * move the cursor nor forge a line. JSON keeps its meaning.
 */
export function printable(text: string): string {
  return text.replaceAll(OBEYED, escaped);
}

/** The same for a text of several lines, whose tabs and ends of lines stay. */
export function printableLines(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(OBEYED_IN_LINES, escaped);
}

function escaped(character: string): string {
  return String.raw`\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
