import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { brotliCompressSync, constants } from 'node:zlib';
import { Server, launch, open_page, shown_step, until } from './support.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

test('a cold open is live within 2 s and has learned within 5 s, with no click', async (t) => {
  const live = [];
  const solved = [];
  for (let round = 0; round < 5; round++) {
    const server = await Server.start(['--demo']);
    const page = await open_page(browser);
    const start = Date.now();
    await page.goto(server.url);
    await until(async () => (await page.locator('.badge.live').count()) > 0 && (await shown_step(page)) > 0, 'live');
    live.push(Date.now() - start);
    await until(async () => /It has learned XOR/.test(await page.locator('h1').textContent()), 'solved', 15_000);
    solved.push(Date.now() - start);
    assert.deepEqual(page.faults, []);
    await page.context().close();
    await server.stop();
  }
  t.diagnostic(`live ${live.join(', ')} ms; solved ${solved.join(', ')} ms`);
  assert.ok(median(live) <= 2000, `live: ${live}`);
  assert.ok(median(solved) <= 5000, `solved: ${solved}`);
});

test('the page is small, and asks nobody else', async (t) => {
  const server = await Server.start();
  const page = await open_page(browser);
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  let first_load = 0;
  const assets = new Map();
  session.on('Network.responseReceived', ({ requestId, response }) => {
    const { pathname } = new URL(response.url);
    if (pathname === '/' || pathname.startsWith('/assets/')) assets.set(requestId, pathname);
  });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (assets.has(requestId)) first_load += encodedDataLength;
  });
  await page.goto(server.url);
  await page.locator('h1').waitFor();
  await page.waitForLoadState('load');

  const seen = new Map();
  const walk = async (path) => {
    if (seen.has(path)) return;
    const text = await (await fetch(server.url + path)).text();
    seen.set(path, brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length);
    for (const [name] of text.matchAll(/[\w.-]+-[\w-]{8}\.(?:js|css)/g)) await walk(`/assets/${name}`);
  };
  await walk('/');
  const all = [...seen.values()].reduce((sum, size) => sum + size, 0);
  t.diagnostic(`first load ${first_load} bytes, all ${all} bytes in ${seen.size} files`);
  assert.ok(first_load > 10_000 && first_load <= 80 * 1024, `first load: ${first_load}`);
  assert.ok(seen.size > 10 && all <= 150 * 1024, `all: ${all}`);
  assert.deepEqual(page.faults, []);
  await page.context().close();
  await server.stop();
});

test('training under the eyes leaves no long task', async (t) => {
  const server = await Server.start();
  const page = await open_page(browser);
  await page.goto(server.url);
  await until(async () => (await shown_step(page)) > 20, 'training');
  const tasks = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const found = [];
        new PerformanceObserver((list) => found.push(...list.getEntries().map((entry) => entry.duration))).observe({
          type: 'longtask',
        });
        setTimeout(() => resolve(found), 2500);
      }),
  );
  t.diagnostic(`long tasks: ${tasks.map(Math.round).join(', ') || 'none'}`);
  assert.deepEqual(tasks, []);
  await page.context().close();
  await server.stop();
});
