import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, constants } from 'node:zlib';
import { Server, finish, open_page, set_up, shown_step, until } from './support.mjs';

set_up(null);

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

const kLiveMs = 2000;
const kSolvedMs = 5000;
const kFramesPerSecond = 55; // of 60, counted over a second and a half
const kAttempts = 4;
const kLoopMs = 160; // work() on the slowest machine that the two bars above speak of: twice what it takes on a quiet one

/** How long a fixed piece of work takes this browser on this machine, with whatever else runs there. */
function work() {
  const start = performance.now();
  let sum = 0;
  for (let k = 0; k < 40_000_000; k++) sum += Math.sqrt(k);
  return sum > 0 && performance.now() - start;
}

/** Notes in the page when it is first live, and when it has first learned. */
function note_milestones() {
  window.milestones = {};
  const note = (name, reached) => {
    if (reached) window.milestones[name] ??= Date.now();
  };
  new MutationObserver(() => {
    note('live', document.querySelector('.badge.live') && Number(document.querySelector('.where .step b')?.textContent) > 0);
    note('solved', /It has learned XOR/.test(document.querySelector('h1')?.textContent));
  }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
}

/** A server and a browser opened afresh, five times: the medians of when it is live, and when it has learned. */
async function cold_opens() {
  const live = [];
  const solved = [];
  const loops = [];
  for (let round = 0; round < 5; round++) {
    const page = await open_page();
    loops.push(await page.evaluate(work));
    await page.addInitScript(note_milestones);
    const server = await Server.start(['--demo']);
    const start = Date.now();
    await page.goto(server.url);
    await until(() => page.evaluate(() => window.milestones.solved), 'solved');
    const reached = await page.evaluate(() => window.milestones);
    live.push((reached.live ?? reached.solved) - start);
    solved.push(reached.solved - start);
    assert.deepEqual(page.faults, []);
    await page.context().close();
    await server.stop();
  }
  const slowness = Math.max(1, median(loops) / kLoopMs);
  return { live, solved, loops, good: median(live) <= kLiveMs * slowness && median(solved) <= kSolvedMs * slowness };
}

// Other programs on the machine slow an opening down: five rounds that are fast enough are the proof. On a machine
// that is too slow for the bars they are as much longer as a fixed piece of work takes there.
test('a cold open is live within 2 s, and has learned within 5 s, with no click', async (t) => {
  for (let attempt = 1; ; attempt++) {
    const { live, solved, loops, good } = await cold_opens();
    t.diagnostic(`median live ${median(live)} ms (${live}); median solved ${median(solved)} ms (${solved}); work ${Math.round(median(loops))} ms`);
    if (good) return;
    assert.ok(attempt < kAttempts, `no five rounds in time, of ${kAttempts} × 5`);
  }
});

test('the page is small, and asks nobody else', async (t) => {
  const server = await Server.start();
  const page = await open_page();
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
  await finish(page);
  await server.stop();
});

test('nothing jumps about while the page opens and the network learns', async (t) => {
  const server = await Server.start();
  const page = await open_page();
  await page.addInitScript(() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries())
        window.shifts.push([entry.value, ...entry.sources.map(({ node }) => node?.className ?? node?.nodeName ?? '')]);
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto(server.url);
  await until(async () => /It has learned XOR/.test(await page.locator('h1').textContent()), 'solved');
  const shifts = await page.evaluate(() => window.shifts);
  const sum = shifts.reduce((all, [value]) => all + value, 0);
  t.diagnostic(`layout shift ${sum.toFixed(4)}: ${JSON.stringify(shifts).slice(0, 400)}`);
  assert.ok(sum < 0.1, `${sum}`);
  await page.context().close();
  await server.stop();
});

test('training under the eyes leaves no long task', async (t) => {
  const server = await Server.start();
  const page = await open_page();
  await page.goto(server.url);
  await until(async () => (await shown_step(page)) > 20, 'training');
  const watch = () =>
    page.evaluate(
      () =>
        new Promise((resolve) => {
          const found = [];
          let frames = 0;
          const observer = new PerformanceObserver((list) => found.push(...list.getEntries().map((one) => Math.round(one.duration))));
          observer.observe({ type: 'longtask' });
          const start = performance.now();
          const count = () => {
            frames++;
            if (performance.now() < start + 1500) return requestAnimationFrame(count);
            observer.disconnect();
            resolve({ found, rate: Math.round((1000 * frames) / (performance.now() - start)) });
          };
          requestAnimationFrame(count);
        }),
    );
  // Other programs on the machine lengthen a task too: one undisturbed window at full rate is the proof.
  await until(
    async () => {
      const { found, rate } = await watch();
      t.diagnostic(`${rate} frames/s, step ${await shown_step(page)}, long tasks: ${found.join(', ') || 'none'}`);
      return found.length === 0 && rate >= kFramesPerSecond;
    },
    'a window at 60 frames a second without a task over 50 ms',
    120_000,
  );
  await page.context().close();
  await server.stop();
});
