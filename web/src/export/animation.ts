import type { History } from '../api/types';
import { render_chart } from '../figures/chart';
import {
  kPlane,
  plane_picture,
  render_axes,
  render_boundary,
  render_legend,
  render_points,
  surface_canvas,
} from '../figures/plane';
import type { Point } from '../figures/points';
import { escaped, svg_document, svg_text } from '../figures/svg';
import { scaled_inputs } from '../lab/dataset';
import type { LiveNetwork } from '../live/network.svelte';
import { percent, short } from '../math/format';
import { forward } from '../math/forward';
import type { Palette } from '../math/palette';
import { grid_inputs, type Plane, type Window } from '../math/projection';
import type { Surface } from '../math/surface';
import { download } from './download';
import { gif_of, type Picture } from './gif';

/** What an animation of a run needs. */
export interface Run {
  network: LiveNetwork;
  points: Point[];
  window: Window;
  plane: Plane;
  names: [string, string];
  classes: string[] | null;
  /** How surfaces of this network are read; its outputs are replaced frame by frame. */
  surface: Surface;
  palette: Palette;
  words: { step: string; loss: string; accuracy: string; boundary: string };
  on_progress: (share: number) => void;
}

interface Scene {
  step: number;
  surface: Surface;
  loss: number | null;
  accuracy: number | null;
}

const kFrames = 48;
const kDelayMs = 90;
const kLastDelayMs = 1600;

/** Steps over the whole run, dense at its beginning, where most happens. */
export function frame_steps(steps: number[], count: number): number[] {
  if (steps.length <= count) return steps;
  const chosen = Array.from(
    { length: count },
    (_, k) => steps[Math.round((k / (count - 1)) ** 1.6 * (steps.length - 1))],
  );
  return [...new Set(chosen)];
}

async function scenes_of(run: Run): Promise<Scene[]> {
  const { network, surface } = run;
  const inputs = scaled_inputs(network.view, grid_inputs(run.plane, run.window, surface.size));
  if (!inputs) return [];
  const scenes: Scene[] = [];
  const available = network.time_travel === false ? network.seen_steps() : (network.history.step as number[]);
  const steps = frame_steps(available, kFrames);
  for (const [k, step] of steps.entries()) {
    const frame = await network.at(step);
    run.on_progress((k + 1) / steps.length / 2);
    if (!frame) continue;
    const outputs = forward(frame.parameters, inputs, surface.size * surface.size).at(-1)!;
    const at = (network.history.step as number[]).findLastIndex((known) => known <= step);
    scenes.push({
      step,
      surface: { ...surface, outputs },
      loss: network.history.loss?.[at] ?? null,
      accuracy: network.history.accuracy?.[at] ?? null,
    });
  }
  return scenes;
}

async function pixels_of(svg: string, width: number, height: number, context: CanvasRenderingContext2D) {
  const image = new Image();
  const address = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  image.src = address;
  await image.decode();
  context.drawImage(image, 0, 0, width, height);
  URL.revokeObjectURL(address);
  return context.getImageData(0, 0, width, height).data;
}

async function save_gif(name: string, pictures: string[], width: number, height: number, run: Run) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  const made: Picture[] = [];
  for (const [k, svg] of pictures.entries()) {
    made.push({
      data: await pixels_of(svg, width, height, context),
      delay_ms: k === pictures.length - 1 ? kLastDelayMs : kDelayMs,
    });
    run.on_progress(0.5 + (k + 1) / pictures.length / 2);
  }
  download(name, new Blob([gif_of(made, width, height) as BlobPart], { type: 'image/gif' }));
}

const title_of = (scene: Scene, run: Run) =>
  `${run.words.step} ${scene.step} · ${run.words.loss} ${short(scene.loss)}${scene.accuracy === null ? '' : ` · ${run.words.accuracy} ${percent(scene.accuracy)}`}`;

export async function save_boundary_gif(run: Run) {
  const { palette } = run;
  const [width, height] = [kPlane.width, kPlane.height + 28];
  const pictures = (await scenes_of(run)).map((scene) =>
    svg_document(
      width,
      height,
      svg_text(kPlane.left, 18, title_of(scene, run), { fill: palette.ink, size: 13, weight: 600 }) +
        `<g transform="translate(0 26)">${plane_picture(scene.surface, run.points, run.window, run.names, run.classes, palette)}</g>`,
      palette.surface,
    ),
  );
  await save_gif(`${run.network.name}-boundary.gif`, pictures, width, height, run);
}

/** A chart that has come as far as `step`. */
function chart_until(
  history: History,
  field: string,
  step: number,
  size: { width: number; height: number },
  palette: Palette,
  logarithmic: boolean,
  x_title: string,
): string {
  const steps = history.step as number[];
  const end = steps.findLastIndex((known) => known <= step) + 1;
  const colour = field === 'loss' ? palette.negative : palette.good;
  const values = (history[field] ?? []).filter(
    (value): value is number => value !== null && (!logarithmic || value > 0),
  );
  const y_range: [number, number] = logarithmic
    ? [Math.min(...values) / 1.2, Math.max(...values) * 1.2]
    : [0, 1.02];
  return render_chart(
    [{ name: field, colour, x: steps.slice(0, end), y: (history[field] ?? []).slice(0, end) }],
    {
      ...size,
      palette,
      logarithmic,
      x_title,
      y_range,
      x_range: [0, steps.at(-1) ?? 1],
    },
  );
}

/** The article's animation: accuracy, boundary and loss side by side. */
export async function save_three_panels(run: Run) {
  const { palette, words, network } = run;
  const [width, height] = [960, 360];
  const size = { width: 300, height: 300 };
  const panel = (x: number, title: string, content: string) =>
    svg_text(x + 150, 22, title, { fill: palette.ink, size: 13, anchor: 'middle', weight: 600 }) +
    `<g transform="translate(${x} 34)">${content}</g>`;
  const scale = 310 / kPlane.width;
  const pictures = (await scenes_of(run)).map((scene) =>
    svg_document(
      width,
      height,
      panel(
        8,
        `${words.accuracy} ${percent(scene.accuracy)}`,
        chart_until(network.history, 'accuracy', scene.step, size, palette, false, words.step),
      ) +
        panel(
          322,
          `${words.step} ${scene.step}`,
          `<g transform="scale(${scale})">${plane_picture(scene.surface, run.points, run.window, run.names, run.classes, palette)}</g>`,
        ) +
        panel(
          648,
          `${words.loss} ${short(scene.loss)}`,
          chart_until(network.history, 'loss', scene.step, size, palette, true, words.step),
        ),
      palette.surface,
    ),
  );
  await save_gif(`${network.name}-three-panels.gif`, pictures, width, height, run);
}

/** One HTML file that replays the run in any browser, from nothing but itself. */
export async function save_replay(run: Run) {
  const { palette, network, words } = run;
  const scenes = await scenes_of(run);
  const square = `x="${kPlane.left}" y="${kPlane.top}" width="${kPlane.side}" height="${kPlane.side}" preserveAspectRatio="none"`;
  const frames = scenes.map((scene) => ({
    title: title_of(scene, run),
    image: surface_canvas(scene.surface, palette).toDataURL('image/png'),
    line: render_boundary(scene.surface, palette),
    loss: chart_until(
      network.history,
      'loss',
      scene.step,
      { width: 400, height: 210 },
      palette,
      true,
      words.step,
    ),
    accuracy: chart_until(
      network.history,
      'accuracy',
      scene.step,
      { width: 400, height: 210 },
      palette,
      false,
      words.step,
    ),
  }));
  const { default: player } = await import('./player.js?raw');
  const still =
    render_points(run.points, run.window, palette) +
    render_axes(run.window, run.names, palette) +
    render_legend(run.surface, run.classes, palette);
  const data = JSON.stringify(frames).replaceAll('<', '\\u003c');
  const html = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(network.name)}</title>
<style>body{margin:24px auto;max-width:940px;padding:0 16px;font:15px/1.5 system-ui,sans-serif;background:${palette.surface};color:${palette.ink}}.panels{display:flex;flex-wrap:wrap;gap:24px}svg{max-width:100%}.bar{display:flex;gap:12px;align-items:center;margin:16px 0}input{flex:1}button{font:inherit;padding:6px 16px}</style>
<h1>${escaped(network.name)}</h1><p id="title" aria-live="polite"></p>
<div class="bar"><button id="play" type="button">▶</button><input id="at" type="range" min="0" max="${frames.length - 1}" value="0" aria-label="${escaped(words.step)}"></div>
<div class="panels"><svg viewBox="0 0 ${kPlane.width} ${kPlane.height}" width="460" role="img" aria-label="${escaped(words.boundary)}"><image id="image" ${square}/><g id="line"></g>${still}</svg>
<div><h2>${escaped(words.loss)}</h2><svg id="loss" viewBox="0 0 400 210" width="400" role="img" aria-label="${escaped(words.loss)}"></svg>
<h2>${escaped(words.accuracy)}</h2><svg id="accuracy" viewBox="0 0 400 210" width="400" role="img" aria-label="${escaped(words.accuracy)}"></svg></div></div>
<script>const frames=${data};\n${player}</script></html>\n`;
  run.on_progress(1);
  download(`${network.name}-replay.html`, html, 'text/html');
}
