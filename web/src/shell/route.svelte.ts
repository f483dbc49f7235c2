/** The address is the state: `#/page/part?name=value`. Changing it is the only way to change a page. */
class Route {
  page = $state('lab');
  parts = $state.raw<string[]>([]);
  query = $state.raw(new URLSearchParams());

  constructor() {
    this.read();
    addEventListener('hashchange', () => this.read());
  }

  private read() {
    const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
    const [page, ...parts] = path.split('/').map(decodeURIComponent);
    this.page = page || 'lab';
    this.parts = parts.filter(Boolean);
    this.query = new URLSearchParams(query ?? '');
  }

  get(name: string): string | null {
    return this.query.get(name);
  }

  number(name: string): number | null {
    const text = this.query.get(name);
    return text === null || text === '' || Number.isNaN(Number(text)) ? null : Number(text);
  }

  /** Sets (or with null removes) fields of the query. Kept out of the back button unless `push`. */
  set(changes: Record<string, string | number | null>, push = false) {
    const query = new URLSearchParams(this.query);
    for (const [name, value] of Object.entries(changes))
      if (value === null || value === '') query.delete(name);
      else query.set(name, String(value));
    const address = this.address(this.page, this.parts, query);
    if (push) history.pushState(null, '', address);
    else history.replaceState(null, '', address);
    this.query = query;
  }

  address(page: string, parts: string[] = [], query = new URLSearchParams()): string {
    const path = [page, ...parts].map(encodeURIComponent).join('/');
    const text = query.toString();
    return `#/${path}${text ? `?${text}` : ''}`;
  }

  go(page: string, parts: string[] = [], query: Record<string, string> = {}) {
    location.hash = this.address(page, parts, new URLSearchParams(query));
  }
}

export const route = new Route();
