/** The width of a plot in pixels: the width of a page on GitHub. */
export const WIDTH = 860;
/** Distance from the card's edge to its content, in pixels. */
export const PADDING = 24;
/** Distance from the card's upper edge to the panels, below title and subtitle, in pixels. */
export const HEADER_HEIGHT = 84;

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An SVG element. Children must be elements; make texts with `text`. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapedXml(typeof value === 'number' ? short(value) : `${value}`)}"`)
    .join('');
  return children.length > 0 ? `<${name}${written}>${children.join('')}</${name}>` : `<${name}${written}/>`;
}

/** A line of text. Its class is one of `STYLE`. */
export function text(x: number, y: number, words: string, attributes: Attributes = {}): string {
  return element('text', { x, y, ...attributes }, escapedXml(words));
}

/** A straight line. */
export function line(x1: number, y1: number, x2: number, y2: number, attributes: Attributes = {}): string {
  return element('line', { x1, y1, x2, y2, ...attributes });
}

/** A group of elements, moved. */
export function moved(x: number, y: number, ...children: readonly string[]): string {
  return element('g', { transform: `translate(${short(x)} ${short(y)})` }, ...children);
}

/** Estimates the width of a text, in pixels. Fonts differ between machines, so this assumes a wide one. */
export function textWidth(words: string, size = 13): number {
  return words.length * size * 0.6;
}

/** A whole plot on a card, readable on light and dark pages. */
export function card(title: string, subtitle: string, height: number, ...body: readonly string[]): string {
  const frame = { x: 0.5, y: 0.5, width: WIDTH - 1, height: height - 1, rx: 8, class: 'card' };
  const head = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${WIDTH} ${short(height)}`,
    width: WIDTH,
    height,
    role: 'img',
    'aria-label': `${title}. ${subtitle}`,
  };
  const parts = [
    element('style', {}, STYLE),
    element('rect', frame),
    text(PADDING, 36, title, { class: 'title' }),
    text(PADDING, 58, subtitle, { class: 'muted' }),
    ...body,
  ];
  return `${element('svg', head, '\n', parts.join('\n'), '\n')}\n`;
}

function escapedXml(words: string): string {
  return words
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Rounds to hundredths of a pixel. */
function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/**
 * Texts have an outline in the card's colour, so that lines behind them do not cross the letters.
 * The page's colour scheme selects the light or the dark card. The light one is the default.
 */
const STYLE = `
text { font: 13px system-ui, -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; fill: #1f2328; font-variant-numeric: tabular-nums }
text, text.label { stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round; paint-order: stroke }
.title { font-size: 18px; font-weight: 650 }
.panel, .strong { font-weight: 650 }
.muted, .tick { fill: #59636e }
.tick { font-size: 12px }
.end { text-anchor: end }
.middle { text-anchor: middle }
.card { fill: #ffffff; stroke: #d1d9e0 }
.grid { stroke: #e4e8ec }
.axis { stroke: #818b98 }
.whisker { stroke: #1f2328; stroke-width: 1.25 }
.cut { stroke: #ffffff; stroke-width: 3 }
.bar { fill: #b6bfc9 }
.bar.floor { fill: #7d8894 }
.bar.anchor { fill: #ffffff; stroke: #818b98; stroke-dasharray: 4 3 }
.bar.baton { fill: #0072b2 }
.series { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
.series.c0 { stroke-width: 3 }
.ideal { stroke: #818b98; stroke-dasharray: 5 4 }
.c0 { stroke: #0072b2 } .c1 { stroke: #d55e00 } .c2 { stroke: #008a63 } .c3 { stroke: #b0578d } .c4 { stroke: #8a7000 }
.dot.c0, .band.c0, .label.c0 { fill: #0072b2 } .dot.c1, .band.c1, .label.c1 { fill: #c25500 }
.dot.c2, .band.c2, .label.c2 { fill: #007a58 } .dot.c3, .band.c3, .label.c3 { fill: #a34c82 }
.dot.c4, .band.c4, .label.c4 { fill: #7a6300 }
.dot { stroke: #ffffff; stroke-width: 1.5 }
.band { stroke: none; opacity: 0.15 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  text, text.label { stroke: #0d1117 }
  .muted, .tick { fill: #9198a1 }
  .card { fill: #0d1117; stroke: #3d444d }
  .grid { stroke: #252b33 }
  .axis { stroke: #656c76 }
  .whisker { stroke: #e6edf3 }
  .cut { stroke: #0d1117 }
  .bar { fill: #4b545f }
  .bar.floor { fill: #7d8894 }
  .bar.anchor { fill: #0d1117; stroke: #9198a1 }
  .bar.baton { fill: #4aa3e8 }
  .ideal { stroke: #656c76 }
  .c0 { stroke: #4aa3e8 } .c1 { stroke: #f08c3a } .c2 { stroke: #35c093 } .c3 { stroke: #e08cbf } .c4 { stroke: #d6b83c }
  .dot.c0, .band.c0, .label.c0 { fill: #4aa3e8 } .dot.c1, .band.c1, .label.c1 { fill: #f08c3a }
  .dot.c2, .band.c2, .label.c2 { fill: #35c093 } .dot.c3, .band.c3, .label.c3 { fill: #e08cbf }
  .dot.c4, .band.c4, .label.c4 { fill: #d6b83c }
  .dot { stroke: #0d1117 }
}
`;
