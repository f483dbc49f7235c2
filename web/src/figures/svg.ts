/** Text for SVG, safe in content and attributes. */
export const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export const kFigureFont =
  'system-ui, -apple-system, &quot;Segoe UI&quot;, &quot;Noto Sans&quot;, sans-serif';

/** A whole SVG document. Only presentation attributes are used: the page's policy forbids inline styles. */
export function svg_document(width: number, height: number, content: string, background?: string): string {
  const ground = background ? `<rect width="${width}" height="${height}" fill="${background}"/>` : '';
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${kFigureFont}">${ground}${content}</svg>`;
}

export interface TextStyle {
  fill: string;
  size?: number;
  anchor?: 'start' | 'middle' | 'end';
  weight?: number;
}

/** About how wide a text is; Chinese letters are twice as wide as others. */
export const text_width = (text: string, size = 11) =>
  [...text].reduce((sum, letter) => sum + (letter > '\u2e80' ? 1 : 0.6), 0) * size;

/** The text, or as much of its beginning as there is room for. */
export function fitting(text: string, room: number, size = 11): string {
  if (text_width(text, size) <= room) return text;
  let kept = text;
  while (kept.length > 1 && text_width(`${kept}…`, size) > room) kept = kept.slice(0, -1);
  return `${kept}…`;
}

export const svg_text = (x: number, y: number, text: string, style: TextStyle) =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="${style.fill}" font-size="${style.size ?? 11}" text-anchor="${style.anchor ?? 'start'}"${style.weight ? ` font-weight="${style.weight}"` : ''}>${escaped(text)}</text>`;
