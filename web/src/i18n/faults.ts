type Messages = Record<string, string>;

const placeholders = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort().join(' ');

/** What keeps two languages from being complete: keys that one of them lacks, other placeholders, empty texts. */
export function faults(en: Messages, zh: Messages): string[] {
  const found: string[] = [];
  for (const key of new Set([...Object.keys(en), ...Object.keys(zh)])) {
    if (en[key] === undefined) found.push(`${key}: missing in English`);
    else if (zh[key] === undefined) found.push(`${key}: missing in Chinese`);
    else if (en[key] === '' || zh[key] === '') found.push(`${key}: empty`);
    else if (placeholders(en[key]) !== placeholders(zh[key])) found.push(`${key}: placeholders differ`);
  }
  return found;
}
