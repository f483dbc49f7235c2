import type { NetworkView } from '../api/types';

/** How a network is built, in a few words: 2-8-2. */
export const shape_of = (view: NetworkView) =>
  [
    view.inputs,
    ...view.layers.map((layer) => ((layer.type ?? 'dense') === 'dense' ? layer.units : layer.type)),
  ].join('-');

export const activations_of = (view: NetworkView) =>
  [...new Set(view.layers.filter((layer) => layer.activation).map((layer) => layer.activation))].join(', ');

const kCompared = [
  'inputs',
  'layers',
  'loss',
  'optimizer',
  'schedule',
  'regularization',
  'gradient_clip',
  'seed',
  'dtype',
  'ema',
] as const;

function flat(value: unknown, path: string, into: Map<string, string>) {
  if (value !== null && typeof value === 'object')
    for (const [key, inner] of Object.entries(value)) flat(inner, path ? `${path}.${key}` : key, into);
  else into.set(path, String(value));
}

/** The settings in which networks differ, one row for each. */
export function differences(views: NetworkView[]): { field: string; values: string[] }[] {
  const all = views.map((view) => {
    const fields = new Map<string, string>();
    for (const name of kCompared) flat((view as unknown as Record<string, unknown>)[name], name, fields);
    return fields;
  });
  const names = [...new Set(all.flatMap((fields) => [...fields.keys()]))];
  return names
    .map((field) => ({ field, values: all.map((fields) => fields.get(field) ?? '–') }))
    .filter(({ values }) => new Set(values).size > 1);
}

export interface Branch {
  view: NetworkView;
  depth: number;
}

/** Networks with their forks below them, newest trees first. */
export function lineage(views: NetworkView[]): Branch[] {
  const known = new Set(views.map((view) => view.name));
  const children = new Map<string, NetworkView[]>();
  const roots: NetworkView[] = [];
  for (const view of views) {
    const parent = view.forked_from?.network;
    if (parent && known.has(parent) && parent !== view.name)
      children.set(parent, [...(children.get(parent) ?? []), view]);
    else roots.push(view);
  }
  const found: Branch[] = [];
  const visit = (view: NetworkView, depth: number) => {
    found.push({ view, depth });
    for (const child of children.get(view.name) ?? []) visit(child, depth + 1);
  };
  for (const root of roots) visit(root, 0);
  return found;
}

export function matches(view: NetworkView, query: string): boolean {
  const text = [
    view.name,
    shape_of(view),
    activations_of(view),
    view.optimizer?.type,
    view.state,
    ...Object.entries(view.labels ?? {}).flat(),
  ]
    .join(' ')
    .toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
