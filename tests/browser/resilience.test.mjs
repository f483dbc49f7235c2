import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, launch, open_page, shown_step, until } from './support.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const body = { inputs: 2, layers: [{ units: 4 }, { units: 2 }] };
const long_training = { data: { generator: 'xor' }, steps: 100_000, pace: { steps_per_second: 50 } };

async function start_training(server, name) {
  await server.call('POST', '/v1/networks', { name, ...body });
  const headers = { Prefer: 'respond-async', 'Content-Type': 'application/json' };
  await fetch(`${server.url}/v1/networks/${name}/train`, { method: 'POST', headers, body: JSON.stringify(long_training) });
}

test('twelve tabs are live together', async () => {
  const server = await Server.start();
  await start_training(server, 'shared');
  const context = await browser.newContext();
  const pages = [];
  let streams = 0;
  context.on('request', (request) => {
    if (request.url().endsWith('/events')) streams++;
  });
  for (let k = 0; k < 12; k++) pages.push(await open_page(browser, { context }));
  for (const page of pages) await page.goto(`${server.url}/#/lab?net=shared`);
  for (const page of pages) {
    await page.bringToFront();
    const first = await until(() => shown_step(page).catch(() => 0), 'a step is shown', 15_000);
    await until(async () => (await shown_step(page)) > first, 'it goes on', 15_000);
    assert.deepEqual(page.faults, []);
  }
  assert.equal(streams, 1, 'one tab keeps the stream for all');
  await pages[0].close();
  await until(() => streams === 2, 'another tab takes it over');
  const left = pages[7];
  const then = await shown_step(left);
  await until(async () => (await shown_step(left)) > then, 'and the others go on', 15_000);
  await context.close();
  await server.stop();
});

test('a tab outlives the server: it says so, comes back and goes on by itself', async () => {
  const server = await Server.start();
  await start_training(server, 'phoenix');
  const page = await open_page(browser);
  await page.goto(`${server.url}/#/lab?net=phoenix`);
  await until(async () => (await shown_step(page)) > 40, 'live');
  const before_kill = await shown_step(page);
  await server.kill();
  await page.getByText('The server does not answer').first().waitFor();
  await server.run();
  await page.getByText('The server does not answer').first().waitFor({ state: 'detached', timeout: 10_000 });
  await until(async () => (await shown_step(page)) > before_kill, 'the training goes on', 15_000);
  // The gap is filled from the history: the curve begins at the first step, and all its steps rise.
  const drawn = await page.getByRole('region', { name: 'Loss' }).locator('svg path').first().getAttribute('d');
  const places = [...drawn.matchAll(/[ML]([\d.]+) /g)].map(([, x]) => Number(x));
  assert.ok(places.length > 20, `${places.length} records`);
  assert.deepEqual(places, [...places].sort((a, b) => a - b));
  await page.context().close();
  await server.stop();
});

test('a tab that is older than the server says so', async () => {
  const server = await Server.start();
  await start_training(server, 'older');
  const page = await open_page(browser);
  await page.goto(`${server.url}/#/lab?net=older`);
  await until(async () => (await shown_step(page)) > 5, 'live');
  await page.route('**/v1/system', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), version: '99.0.0' } });
  });
  await server.kill();
  await page.getByText('The server does not answer').first().waitFor();
  await server.run();
  await page.getByText('The server is now another version than this page.').waitFor();
  await page.getByRole('button', { name: 'Reload' }).waitFor();
  await page.context().close();
  await server.stop();
});
