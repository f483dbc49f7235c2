const kMinus = '−';

const with_minus = (text: string) => text.replace('-', kMinus);

function grouped(text: string): string {
  const [whole, fraction] = text.split('.');
  const parted = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction ? `${parted}.${fraction}` : parted;
}
export const whole = (value: number) => with_minus(grouped(value.toFixed(0)));

/** A number for reading: at most `digits` significant ones, no needless zeros, powers of ten where they are shorter. */
export function short(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : `${kMinus}∞`;
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) {
    const [mantissa, exponent] = value.toExponential(Math.max(0, digits - 1)).split('e');
    return with_minus(
      `${mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa}e${Number(exponent)}`,
    );
  }
  const text = size >= 10 ** digits ? value.toFixed(0) : value.toPrecision(digits);
  return with_minus(grouped(text.includes('.') ? text.replace(/\.?0+$/, '') : text));
}

/** A number with a fixed count of decimals, for columns; tiny ones as powers of ten. */
export function fixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return short(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.5 * 10 ** -decimals || size >= 1e6))
    return with_minus(value.toExponential(Math.max(1, decimals - 2)).replace('e+', 'e'));
  const text = value.toFixed(decimals);
  return with_minus(Number(text) === 0 ? text.replace('-', '') : text);
}

/** A share as a percentage; never rounds to 100 or 0 what isn't. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined || Number.isNaN(share)) return '–';
  const value = share * 100;
  if (value > 99.9 && value < 100) return '99.9\u00a0%';
  if (value > 0 && value < 0.1) return '0.1\u00a0%';
  return `${value.toFixed(value === 100 || value === 0 ? 0 : 1)}\u00a0%`;
}

export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  let value = count;
  for (; value >= 1024 && i < units.length - 1; i++) value /= 1024;
  return `${i === 0 ? value : value.toPrecision(3)} ${units[i]}`;
}

export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toPrecision(3)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  if (minutes < 60 * 24) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor(minutes / 60) % 24} h`;
}
