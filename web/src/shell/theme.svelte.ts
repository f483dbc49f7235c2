import type { Palette } from '../math/palette';
import { dark_palette, light_palette } from '../math/palette';

export type Theme = 'light' | 'dark';
const kStored = 'mlpd-theme';
const prefers_dark = matchMedia('(prefers-color-scheme: dark)');

function stored(): Theme | null {
  try {
    const value = localStorage.getItem(kStored);
    return value === 'light' || value === 'dark' ? value : null;
  } catch {
    return null;
  }
}

class Appearance {
  chosen = $state<Theme | null>(stored());
  private system_dark = $state(prefers_dark.matches);
  readonly theme: Theme = $derived(this.chosen ?? (this.system_dark ? 'dark' : 'light'));
  readonly palette: Palette = $derived(this.theme === 'dark' ? dark_palette : light_palette);

  constructor() {
    prefers_dark.addEventListener('change', (event) => {
      this.system_dark = event.matches;
    });
  }

  toggle() {
    this.choose(this.theme === 'dark' ? 'light' : 'dark');
  }

  choose(theme: Theme) {
    this.chosen = theme;
    try {
      localStorage.setItem(kStored, theme);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
  }
}

export const appearance = new Appearance();
export const reduced_motion = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
