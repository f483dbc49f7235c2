// npm run screenshots: every page in light and dark, English and Chinese, 1280 and 390 px wide, into docs/images,
// with 256 colours each (Debian's pngquant), so that all of them together stay small.
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Server, launch, open_page, settled, shown_step, until } from './support.mjs';

const folder = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const pages = {
  lab: 'lab?net=demo',
  glass: 'glass?phase=backward',
  lessons: 'lessons/bricks',
  runs: 'runs?compare=demo,sibling',
  search: 'runs?search=xor-search',
  data: 'data?dataset=sample-iris',
  models: 'models?net=iris',
  api: 'api',
  system: 'system',
};

const search = {
  name: 'xor-search',
  dataset: 'article-xor',
  network: { layers: [{ units: 4 }] },
  train: { steps: 100 },
  space: { network: { '/layers/0/units': [2, 4, 8], '/optimizer/learning_rate': [0.005, 0.02, 0.08] } },
};
const kTallest = 3800; // px; of all pages only the API's list is longer, on a narrow screen
const kTrainedMs = 300_000;
const kPageMs = 120_000; // for each step of a page: other work on the machine may hold the browser up

const quantise = (path) => promisify(execFile)('pngquant', ['--force', '--strip', '--speed', '1', '--output', path, '256', path]);

/** A network with two versions, a shadow beside the one that is served, and the truth told of what both answered. */
async function serve_irises() {
  const { rows } = await server.call('GET', '/v1/datasets/sample-iris/rows?limit=150');
  await server.call('POST', '/v1/networks', { name: 'iris', dataset: 'sample-iris', layers: [{ units: 8 }], seed: 1, labels: { dataset: 'sample-iris' } });
  for (const steps of [60, 140]) {
    await server.call('POST', '/v1/networks/iris/train', { dataset: 'sample-iris', steps });
    await server.call('POST', '/v1/networks/iris/versions', {});
  }
  await server.call('PUT', '/v1/networks/iris/aliases/default', { version: 1 });
  await server.call('PUT', '/v1/networks/iris/shadow', { version: 2 });
  for (const { species, ...row } of rows) {
    const { prediction_id } = await server.call('POST', '/v1/networks/iris/predict?alias=default&prediction_id=true', { rows: [row] });
    await server.call('POST', '/v1/networks/iris/feedback', { prediction_id, target: species });
  }
}

const server = await Server.start(['--demo']);
const browser = await launch();
try {
  await until(async () => (await server.call('GET', '/v1/networks/demo')).state === 'idle', 'the demo is trained', kTrainedMs);
  await server.call('POST', '/v1/networks', { name: 'sibling', inputs: 2, layers: [{ units: 3 }, { units: 2 }], labels: { dataset: 'article-xor' } });
  await server.call('POST', '/v1/networks/sibling/train', { dataset: 'article-xor', steps: 2000 });
  await server.call('POST', '/v1/networks/demo/fork', { name: 'branch', step: 100 });
  await serve_irises();
  await server.call('POST', '/v1/searches', search);
  await until(async () => (await server.call('GET', '/v1/searches/xor-search')).state === 'succeeded', 'the search is over', kTrainedMs);
  await mkdir(folder, { recursive: true });
  for (const theme of ['light', 'dark'])
    for (const language of ['en', 'zh'])
      for (const width of [1280, 390]) {
        const page = await open_page({ theme, language, width, height: width === 390 ? 844 : 900 });
        page.setDefaultTimeout(kPageMs);
        for (const [name, route] of Object.entries(pages)) {
          await page.goto(`${server.url}/#/${route}`);
          await settled(page);
          if (name === 'system') await page.waitForTimeout(4500); // some samples of the latency
          if (name === 'lab') await until(async () => (await shown_step(page).catch(() => 0)) > 0, 'the Lab shows its network');
          await page.evaluate(() => document.fonts.ready);
          const shown = { width, height: width === 390 ? 844 : 900 };
          const whole = await page.evaluate(() => document.documentElement.scrollHeight);
          await page.setViewportSize({ width, height: Math.min(whole, kTallest) });
          await settled(page);
          const path = `${folder}${name}-${theme}-${language}-${width}.png`;
          await page.screenshot({ path, animations: 'disabled' });
          await quantise(path);
          await page.setViewportSize(shown);
        }
        await page.context().close();
      }
} finally {
  await browser.close();
  await server.stop();
}
