import { en } from './en';

export type Language = 'en' | 'zh';
export type Key = keyof typeof en;
type Messages = Record<Key, string>;

const kStored = 'mlpd-language';
let messages = $state.raw<Messages>(en);
let current = $state<Language>('en');

/** The text of a key in the current language, `{name}` replaced by the parameter of that name. */
export function t(key: Key, parameters: Record<string, string | number> = {}): string {
  return messages[key].replace(/\{(\w+)\}/g, (whole, name) => String(parameters[name] ?? whole));
}

/** The text of a key that may not exist, else the given one. */
export const known_or = (key: string, otherwise: string) => messages[key as Key] ?? otherwise;

/** The server's word for a state in the current language; a word that is not known stays as it is. */
export const state_word = (word: string) => messages[`word.${word}` as Key] ?? word;

export const language = () => current;
export const locale = () => (current === 'zh' ? 'zh-CN' : 'en');

/** Chinese is loaded when it is first wanted. */
export async function set_language(wanted: Language): Promise<void> {
  messages = wanted === 'zh' ? (await import('./zh')).zh : en;
  current = wanted;
  document.documentElement.lang = locale();
  try {
    localStorage.setItem(kStored, wanted);
  } catch {
    // Private windows may forbid storage; the choice then lasts as long as the page.
  }
}

/** What the address says, else what was chosen before, else what the browser prefers. */
export function first_language(from_address: string | null): Language {
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(kStored);
  } catch {
    stored = null;
  }
  const wanted = from_address ?? stored ?? navigator.language;
  return wanted.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}
