import { short } from '../math/format';
import type { Brick, Parameters } from '../math/forward';
import type { Palette } from '../math/palette';
import { fitting, svg_text, text_width } from './svg';

/** A neuron in the drawing of a network. `layer` −1 is the inputs, else the index of a brick. */
export interface Node {
  layer: number;
  unit: number;
  x: number;
  y: number;
  size: number;
}

export interface Column {
  layer: number;
  title: string;
  units: number;
  nodes: Node[];
  x: number;
  dense: Extract<Brick, { kind: 'dense' }> | null;
}

export interface Wiring {
  width: number;
  height: number;
  columns: Column[];
}

const kTop = 44;
const kBottom = 26;
const kSide = 46;
const kNameMax = 96;
const kNodesMax = 64;
const kLinksMax = 1200;

/** Where everything stands: a column for the inputs and for each brick with units of its own. */
export function wiring_of(
  parameters: Parameters,
  width: number,
  height: number,
  names: string[] = [],
): Wiring {
  const kinds: { layer: number; units: number; title: string; dense: Column['dense'] }[] = [
    { layer: -1, units: parameters.inputs, title: '', dense: null },
  ];
  parameters.bricks.forEach((brick, layer) => {
    if (brick.kind === 'dense')
      kinds.push({ layer, units: brick.units, title: brick.activation, dense: brick });
    else
      kinds.push({
        layer,
        units: brick.units,
        title: brick.kind === 'scale' ? 'batch_norm' : brick.kind === 'same' ? 'dropout' : brick.kind,
        dense: null,
      });
  });
  const room = height - kTop - kBottom;
  const left = Math.max(
    kSide,
    30 + Math.min(kNameMax, Math.max(0, ...names.map((name) => text_width(name, 12)))),
  );
  const gap = (width - left - kSide) / Math.max(1, kinds.length - 1);
  const columns = kinds.map((kind, k): Column => {
    const shown = Math.min(kind.units, kNodesMax);
    const pitch = Math.min(58, room / shown);
    const size = Math.max(5, Math.min(42, pitch * 0.8, gap * 0.5));
    const x = left + k * gap;
    const top = kTop + (room - pitch * shown) / 2;
    const nodes = Array.from({ length: shown }, (_, unit) => ({
      layer: kind.layer,
      unit,
      x,
      y: top + pitch * (unit + 0.5),
      size,
    }));
    return { ...kind, nodes, x };
  });
  return { width, height, columns };
}

function links(from: Column, to: Column, palette: Palette, focus: Node | null): string {
  const brick = to.dense;
  if (!brick || brick.inputs !== from.units) return '';
  let largest = 1e-9;
  for (const weight of brick.weights) largest = Math.max(largest, Math.abs(weight));
  const found: { a: Node; b: Node; weight: number }[] = [];
  for (const a of from.nodes)
    for (const b of to.nodes) found.push({ a, b, weight: brick.weights[a.unit * brick.units + b.unit] });
  if (found.length > kLinksMax) {
    found.sort((p, q) => Math.abs(q.weight) - Math.abs(p.weight));
    found.length = kLinksMax;
  }
  const crowd = Math.max(0.35, Math.min(1, 14 / Math.sqrt(found.length + 1)));
  return found
    .map(({ a, b, weight }) => {
      const share = Math.abs(weight) / largest;
      const lit = focus === null || same(a, focus) || same(b, focus);
      const [x1, x2] = [a.x + a.size / 2, b.x - b.size / 2];
      const bend = (x2 - x1) * 0.45;
      const stroke = weight < 0 ? palette.negative : palette.positive;
      const wide = (0.5 + 5 * share * crowd).toFixed(2);
      const dashes =
        weight < 0 ? ` stroke-dasharray="${(3 + 3 * share).toFixed(1)} ${(2 + 2 * share).toFixed(1)}"` : '';
      const seen = (lit ? 0.3 + 0.65 * share : 0.05).toFixed(2);
      return `<path d="M${x1.toFixed(1)} ${a.y.toFixed(1)}C${(x1 + bend).toFixed(1)} ${a.y.toFixed(1)} ${(x2 - bend).toFixed(1)} ${b.y.toFixed(1)} ${x2.toFixed(1)} ${b.y.toFixed(1)}" stroke="${stroke}" stroke-width="${wide}" stroke-opacity="${seen}"${dashes}/>`;
    })
    .join('');
}

export const same = (a: Node, b: Node) => a.layer === b.layer && a.unit === b.unit;

/** Links and captions; the neurons' heat maps lie below. With `focus`, only the links of that neuron are strong. */
export function render_wiring(wiring: Wiring, names: string[], palette: Palette, focus: Node | null): string {
  const parts: string[] = ['<g fill="none">'];
  for (let k = 1; k < wiring.columns.length; k++)
    parts.push(links(wiring.columns[k - 1], wiring.columns[k], palette, focus));
  parts.push('</g>');
  for (const column of wiring.columns) {
    for (const node of column.nodes) {
      const half = node.size / 2;
      const bias = column.dense?.bias?.[node.unit];
      const edge =
        bias === undefined || Math.abs(bias) < 1e-6
          ? palette.line
          : bias < 0
            ? palette.negative
            : palette.positive;
      parts.push(
        `<rect x="${(node.x - half).toFixed(1)}" y="${(node.y - half).toFixed(1)}" width="${node.size.toFixed(1)}" height="${node.size.toFixed(1)}" rx="${Math.min(6, node.size / 5).toFixed(1)}" fill="none" stroke="${focus && same(focus, node) ? palette.ink : edge}" stroke-width="${focus && same(focus, node) ? 3 : node.size < 12 ? 0.7 : 1.8}"/>`,
      );
      if (column.layer === -1 && node.size > 14)
        parts.push(
          svg_text(
            node.x - half - 6,
            node.y + 4,
            fitting(names[node.unit] ?? `x${node.unit + 1}`, kNameMax, 12),
            {
              fill: palette.ink_soft,
              size: 12,
              anchor: 'end',
            },
          ),
        );
    }
    if (column.units > column.nodes.length)
      parts.push(
        svg_text(column.x, wiring.height - 8, `+ ${column.units - column.nodes.length}`, {
          fill: palette.ink_soft,
          anchor: 'middle',
        }),
      );
  }
  return parts.join('');
}

export interface NumberedWeight {
  layer: number;
  from: number;
  to: number;
  weight: number;
}

/** All weights and biases as a table; `from` is empty for a bias. */
export function weight_rows(parameters: Parameters): { header: string[]; rows: (number | string)[][] } {
  const rows: (number | string)[][] = [];
  parameters.bricks.forEach((brick, layer) => {
    if (brick.kind !== 'dense') return;
    for (let j = 0; j < brick.units; j++) {
      for (let i = 0; i < brick.inputs; i++)
        rows.push([layer + 1, i + 1, j + 1, brick.weights[i * brick.units + j]]);
      if (brick.bias) rows.push([layer + 1, 'bias', j + 1, brick.bias[j]]);
    }
  });
  return { header: ['layer', 'from', 'to', 'weight'], rows };
}

export const weight_text = (weight: number) => short(weight, 3);
