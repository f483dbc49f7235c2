/** One picture of an animation: RGBA, row by row. */
export interface Picture {
  data: Uint8ClampedArray;
  delay_ms: number;
}

const kColours = 256;
const key_of = (r: number, g: number, b: number) => ((r >> 3) << 10) | ((g >> 3) << 5) | (b >> 3);

/** The 256 most frequent colours of all pictures, at five bits a channel, and for each such colour its nearest one. */
function palette_of(pictures: Picture[]): { colours: Uint8Array; index: Uint8Array } {
  const counts = new Uint32Array(1 << 15);
  for (const { data } of pictures)
    for (let i = 0; i < data.length; i += 4) counts[key_of(data[i], data[i + 1], data[i + 2])]++;
  const used = [...counts.keys()].filter((key) => counts[key] > 0).sort((a, b) => counts[b] - counts[a]);
  const chosen = used.slice(0, kColours);
  const colours = new Uint8Array(kColours * 3);
  const channel = (key: number, shift: number) => {
    const five = (key >> shift) & 31;
    return (five << 3) | (five >> 2);
  };
  chosen.forEach((key, k) => {
    for (let c = 0; c < 3; c++) colours[3 * k + c] = channel(key, 10 - 5 * c);
  });
  const index = new Uint8Array(1 << 15);
  for (const key of used) {
    let best = 0;
    let distance = Number.POSITIVE_INFINITY;
    for (let k = 0; k < chosen.length; k++) {
      let d = 0;
      for (let c = 0; c < 3; c++) d += (colours[3 * k + c] - channel(key, 10 - 5 * c)) ** 2;
      if (d < distance) [best, distance] = [k, d];
    }
    index[key] = best;
  }
  return { colours, index };
}

/** LZW with codes of eight to twelve bits, in blocks of at most 255 bytes. */
function compressed(pixels: Uint8Array): number[] {
  const out: number[] = [8];
  const kClear = 256;
  const kEnd = 257;
  let block: number[] = [];
  let bits = 0;
  let held = 0;
  let width = 9;
  let next = 258;
  let table = new Map<number, number>();
  const put = (code: number) => {
    bits |= code << held;
    held += width;
    while (held >= 8) {
      block.push(bits & 255);
      bits >>>= 8;
      held -= 8;
      if (block.length === 255) {
        out.push(255, ...block);
        block = [];
      }
    }
  };
  put(kClear);
  let prefix = pixels[0];
  for (let i = 1; i < pixels.length; i++) {
    const pair = (prefix << 8) | pixels[i];
    const known = table.get(pair);
    if (known !== undefined) {
      prefix = known;
      continue;
    }
    put(prefix);
    if (next < 4096) {
      table.set(pair, next);
      if (next === 1 << width && width < 12) width++;
      next++;
    } else {
      put(kClear);
      table = new Map();
      width = 9;
      next = 258;
    }
    prefix = pixels[i];
  }
  put(prefix);
  put(kEnd);
  if (held > 0) block.push(bits & 255);
  if (block.length > 0) out.push(block.length, ...block);
  out.push(0);
  return out;
}

/** An endlessly repeated GIF89a. */
export function gif_of(pictures: Picture[], width: number, height: number): Uint8Array {
  const { colours, index } = palette_of(pictures);
  const word = (value: number) => [value & 255, value >> 8];
  const parts: (Uint8Array | number[])[] = [
    [...new TextEncoder().encode('GIF89a'), ...word(width), ...word(height), 0xf7, 0, 0],
    colours,
    [0x21, 0xff, 11, ...new TextEncoder().encode('NETSCAPE2.0'), 3, 1, 0, 0, 0],
  ];
  for (const { data, delay_ms } of pictures) {
    const pixels = new Uint8Array(width * height);
    for (let k = 0; k < pixels.length; k++)
      pixels[k] = index[key_of(data[4 * k], data[4 * k + 1], data[4 * k + 2])];
    parts.push([0x21, 0xf9, 4, 4, ...word(Math.round(delay_ms / 10)), 0, 0]);
    parts.push([0x2c, 0, 0, 0, 0, ...word(width), ...word(height), 0]);
    parts.push(compressed(pixels));
  }
  parts.push([0x3b]);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
