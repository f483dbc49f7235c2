/** The first rows of a file as they will be read, to choose a name and a target by; the server's reading is what counts. */
export interface Glimpse {
  kind: 'csv' | 'ndjson' | 'json';
  header: string[];
  rows: string[][];
  /** Of each column, as far as these rows show it. */
  types: ('number' | 'category')[];
}

const kGlimpseRows = 8;

/** Splits CSV text (RFC 4180, any of the usual delimiters) into at most `limit` rows. */
export function csv_rows(text: string, delimiter: string, limit: number): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  for (let i = 0; i < text.length && rows.length < limit; i++) {
    const letter = text[i];
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (text[i + 1] === '"') {
        cell += '"';
        i++;
      } else quoted = false;
    } else if (letter === '"' && cell === '') quoted = true;
    else if (letter === delimiter) {
      row.push(cell);
      cell = '';
    } else if (letter === '\n' || letter === '\r') {
      if (letter === '\r' && text[i + 1] === '\n') i++;
      rows.push([...row, cell]);
      row = [];
      cell = '';
    } else cell += letter;
  }
  if (rows.length < limit && (cell !== '' || row.length > 0)) rows.push([...row, cell]);
  return rows;
}

export function delimiter_of(line: string): string {
  const count = (letter: string) => line.split(letter).length;
  return [',', ';', '\t', '|'].reduce((best, letter) => (count(letter) > count(best) ? letter : best));
}

const kMissing = new Set(['', 'NA', 'N/A', 'n/a', 'NaN', 'nan', 'null', 'NULL', '?']);

function typed(kind: Glimpse['kind'], header: string[], rows: string[][]): Glimpse {
  const types = header.map((_, c) => {
    const present = rows.map((row) => (row[c] ?? '').trim()).filter((cell) => !kMissing.has(cell));
    return present.length > 0 && present.every((cell) => Number.isFinite(Number(cell)))
      ? 'number'
      : 'category';
  });
  return { kind, header, rows, types };
}

export function glimpse_of(file_name: string, text: string): Glimpse {
  const plain = text.replace(/^\uFEFF/, '');
  const start = plain.trimStart();
  if (/\.(ndjson|jsonl)$/i.test(file_name) || start.startsWith('{')) {
    const objects = plain
      .split('\n')
      .filter((line) => line.trim())
      .slice(0, kGlimpseRows)
      .flatMap((line): Record<string, unknown>[] => {
        try {
          return [JSON.parse(line)];
        } catch {
          return [];
        }
      });
    const header = [...new Set(objects.flatMap((object) => Object.keys(object)))];
    return typed(
      'ndjson',
      header,
      objects.map((object) => header.map((name) => String(object[name] ?? ''))),
    );
  }
  if (/\.json$/i.test(file_name) || start.startsWith('[')) return typed('json', [], []);
  const rows = csv_rows(plain, delimiter_of(plain.split('\n')[0] ?? ''), kGlimpseRows + 1);
  return typed('csv', rows[0] ?? [], rows.slice(1));
}

export const content_type = {
  csv: 'text/csv',
  ndjson: 'application/x-ndjson',
  json: 'application/json',
} as const;

/** A name that the server takes, made from a file's name. */
export function dataset_name(file_name: string): string {
  const name = file_name
    .toLowerCase()
    .replace(/\.[a-z]+$/, '')
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  return name.slice(0, 60).replace(/[^a-z0-9]+$/, '') || 'data';
}

/** The numbers of a list that a person typed, parted by commas or blanks; null where something else is in it. */
export function numbers_in(text: string): number[] | null {
  const numbers = text
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(Number);
  return numbers.length > 0 && numbers.every(Number.isFinite) ? [...new Set(numbers)] : null;
}

/** Counts of numbers in equally wide bins. */
export function histogram(values: number[], bins: number): { counts: number[]; low: number; high: number } {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const counts = new Array(bins).fill(0);
  for (const value of values)
    counts[Math.min(bins - 1, Math.floor(((value - low) / (high - low || 1)) * bins))]++;
  return { counts, low, high };
}
