import { expect, test } from 'vitest';
import { gif_of } from './gif';

/** Reads a GIF's pictures back, to check the writer by an independent LZW decoder. */
function read(bytes: Uint8Array) {
  const [width, height] = [bytes[6] | (bytes[7] << 8), bytes[8] | (bytes[9] << 8)];
  const colours = bytes.subarray(13, 13 + 768);
  let at = 13 + 768;
  const pictures: number[][] = [];
  while (bytes[at] !== 0x3b) {
    if (bytes[at] === 0x21) {
      at += 2;
      while (bytes[at] !== 0) at += bytes[at] + 1;
      at++;
      continue;
    }
    at += 11;
    const data: number[] = [];
    while (bytes[at] !== 0) {
      data.push(...bytes.subarray(at + 1, at + 1 + bytes[at]));
      at += bytes[at] + 1;
    }
    at++;
    pictures.push(decoded(data));
  }
  return { width, height, colours, pictures };
}

function decoded(data: number[]): number[] {
  let [bit, width] = [0, 9];
  const next = () => {
    let code = 0;
    for (let k = 0; k < width; k++, bit++) code |= ((data[bit >> 3] >> (bit & 7)) & 1) << k;
    return code;
  };
  const out: number[] = [];
  let table: number[][] = [];
  let last: number[] | null = null;
  for (;;) {
    const code = next();
    if (code === 257) return out;
    if (code === 256) {
      table = Array.from({ length: 258 }, (_, k) => [k]);
      width = 9;
      last = null;
      continue;
    }
    const entry: number[] = code < table.length ? table[code] : [...last!, last![0]];
    out.push(...entry);
    if (last && table.length < 4096) table.push([...last, entry[0]]);
    if (table.length === 1 << width && width < 12) width++;
    last = entry;
  }
}

test.each([
  [7, 5],
  [120, 90],
])('a %i × %i animation reads back', (width, height) => {
  const picture = (shift: number) => {
    const data = new Uint8ClampedArray(width * height * 4);
    for (let k = 0; k < width * height; k++) {
      const value = (((k * 7919 + shift * 31) >> 3) % 6) * 48;
      data.set([value, 255 - value, (k % 3) * 96, 255], 4 * k);
    }
    return { data, delay_ms: 100 };
  };
  const given = [picture(0), picture(5)];
  const found = read(gif_of(given, width, height));
  expect([found.width, found.height, found.pictures.length]).toEqual([width, height, 2]);
  found.pictures.forEach((pixels, p) => {
    expect(pixels).toHaveLength(width * height);
    pixels.forEach((index, k) => {
      for (let c = 0; c < 3; c++)
        expect(Math.abs(found.colours[3 * index + c] - given[p].data[4 * k + c])).toBeLessThanOrEqual(8);
    });
  });
});
