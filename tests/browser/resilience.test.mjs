import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Server, binary, finish, launch_with_tabs, open_page, routes, set_up, settled, shown_step, until, words } from './support.mjs';

set_up(null);

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
  const { context, close } = await launch_with_tabs();
  const pages = [];
  let streams = 0;
  context.on('request', (request) => {
    if (request.url().endsWith('/events')) streams++;
  });
  for (let k = 0; k < 12; k++) pages.push(await open_page({ context }));
  for (const page of pages) await page.goto(`${server.url}/#/lab?net=shared`);
  for (const page of pages) {
    await page.bringToFront();
    const hidden = await Promise.all(pages.map((one) => one.evaluate(() => document.hidden)));
    assert.deepEqual(hidden, pages.map((one) => one !== page), 'eleven are hidden');
    const first = await until(() => shown_step(page).catch(() => 0), 'a step is shown');
    await until(async () => (await shown_step(page)) > first, 'it goes on');
    assert.deepEqual(page.faults, []);
  }
  assert.equal(streams, 1, 'one tab keeps the stream for all');
  await pages[0].close();
  await until(() => streams === 2, 'another tab takes it over');
  const left = pages[7];
  await left.bringToFront();
  const then = await shown_step(left);
  await until(async () => (await shown_step(left)) > then, 'and the others go on');
  await close();
  await server.stop();
});

test('a tab outlives the server: it says so, comes back and goes on by itself', async () => {
  const server = await Server.start();
  await start_training(server, 'phoenix');
  const page = await open_page();
  await page.goto(`${server.url}/#/lab?net=phoenix`);
  await until(async () => (await shown_step(page)) > 40, 'live');
  const before_kill = await shown_step(page);
  await server.kill();
  await page.getByText('The server does not answer').first().waitFor();
  await server.run();
  await page.getByText('The server does not answer').first().waitFor({ state: 'detached' });
  await until(async () => (await shown_step(page)) > before_kill, 'the training goes on');
  // The gap is filled from the history: the curve begins at the first step, and all its steps rise.
  const places = await until(async () => {
    const drawn = await page.getByRole('region', { name: 'Loss' }).locator('svg path').first().getAttribute('d');
    const found = [...drawn.matchAll(/[ML]([\d.]+) /g)].map(([, x]) => Number(x));
    return found.length > 20 && found;
  }, 'as fine as it was recorded');
  assert.deepEqual(places, [...places].sort((a, b) => a - b));
  await page.context().close();
  await server.stop();
});

/** What stands between the browser and a server, and (where `cuts`) lets each answer of the API die in its middle. */
async function relay_of(server) {
  const relay = createServer(async (asked, answer) => {
    const { method, headers } = asked;
    const body = method === 'POST' ? asked : undefined;
    const given = { 'Content-Type': headers['content-type'] ?? 'text/plain' };
    try {
      const response = await fetch(server.url + asked.url, { method, body, headers: given, duplex: 'half' });
      const whole = Buffer.from(await response.arrayBuffer()); // never, of an event stream: pages then ask instead
      answer.writeHead(response.status, { 'Content-Type': response.headers.get('Content-Type') ?? '', 'Content-Length': whole.length });
      if (!relay.cuts || !/^\/(v\d|openapi)/.test(asked.url)) return answer.end(whole);
      answer.write(whole.subarray(0, whole.length / 2), () => answer.destroy());
      relay.cut++;
    } catch {
      answer.destroy(); // the server or the page is gone
    }
  });
  await new Promise((resolve) => relay.listen(0, '127.0.0.1', resolve));
  return Object.assign(relay, { url: `http://127.0.0.1:${relay.address().port}`, cuts: false, cut: 0 });
}

test('a server that dies in the middle of its answers is gone, on every page, until it is back', async () => {
  const server = await Server.start(['--demo']);
  const relay = await relay_of(server);
  for (const route of routes) {
    const page = await open_page();
    await page.goto(`${relay.url}/#/${route === 'lab' ? 'lab?net=demo' : route}`);
    await settled(page);
    Object.assign(relay, { cuts: true, cut: 0 });
    await page.reload();
    await page.locator('.banners').getByText('The server does not answer').waitFor();
    await until(() => relay.cut > 4, 'it is asked again');
    relay.cuts = false;
    await page.locator('.banners').getByText('The server does not answer').waitFor({ state: 'detached' });
    await finish(page);
  }
  relay.closeAllConnections();
  relay.close();
  await server.stop();
});

/** This program as if it had been built from another version: the same bytes but for the version's. */
async function another_version(version) {
  const program = await readFile(binary);
  const [old, wanted] = [Buffer.from(`${version}\0`), Buffer.from(`${version.replace(/^\d/, '9')}\0`)];
  let found = 0;
  for (let at = program.indexOf(old); at >= 0; at = program.indexOf(old, at + 1)) {
    wanted.copy(program, at);
    found++;
  }
  assert.ok(found > 0, 'the version is in the program');
  const path = join(await mkdtemp(join(tmpdir(), 'mlpd-browser-')), 'mlpd');
  await writeFile(path, program, { mode: 0o755 });
  return path;
}

for (const language of ['en', 'zh'])
  test(`a tab that is older than the server says so: ${language}`, async () => {
  const say = await words(language);
  const server = await Server.start();
  await start_training(server, 'older');
  const { version } = await server.call('GET', '/v1/system');
  const page = await open_page({ language });
  await page.goto(`${server.url}/#/lab?net=older`);
  await until(async () => (await shown_step(page)) > 2, 'live');
  await server.kill();
  await page.getByText(say['state.gone']).first().waitFor();
  server.program = await another_version(version);
  await server.run();
  assert.notEqual((await server.call('GET', '/v1/system')).version, version);
  await page.getByText(say['state.replaced']).waitFor();
  await page.getByRole('button', { name: say['state.reload'] }).click();
  await page.getByText(say['state.replaced']).waitFor({ state: 'detached' });
  await until(async () => (await shown_step(page)) > 2, 'the new page is live');
  await finish(page);
  await server.stop();
  await rm(dirname(server.program), { recursive: true });
});
