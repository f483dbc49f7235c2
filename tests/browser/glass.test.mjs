import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Server, article, finish, open_page, set_up, until } from './support.mjs';

const golden = JSON.parse(await readFile(new URL('../golden/article_step.json', import.meta.url)));
const kTolerance = 2e-8;
const server = set_up();

const numbers_on = (page) =>
  page
    .locator('.sheets td')
    .allTextContents()
    .then((texts) => texts.map((text) => Number(text.replaceAll('−', '-'))));

test('every value that the article prints is on the page', async () => {
  const page = await open_page();
  const shown = [];
  for (const phase of ['forward', 'loss', 'backward', 'update']) {
    await page.goto(`${server.url}/#/glass?phase=${phase}`);
    await page.locator('.sheets td').first().waitFor();
    shown.push(...(await numbers_on(page)));
  }
  for (const [name, matrix] of Object.entries(golden.printed_in_article))
    for (const value of matrix.flat())
      assert.ok(shown.some((one) => Math.abs(one - value) <= kTolerance), `${name}: ${value}`);
  await finish(page);
});

test('opening it makes nothing on the server, and what is shown is what training says', async () => {
  const apart = await Server.start();
  const page = await open_page();
  const asked = [];
  page.on('request', (request) => { if (request.method() !== 'GET') asked.push(request.url()); });
  await page.goto(`${apart.url}/#/glass?decimals=12`);
  await page.locator('.sheets td').first().waitFor();
  await page.getByRole('button', { name: 'Make this network here' }).waitFor();
  assert.deepEqual(asked, []);
  assert.deepEqual((await apart.call('GET', '/v1/networks')).networks, []);

  await page.getByRole('button', { name: 'Make this network here' }).click();
  await until(() => /net=article-step/.test(page.url()), 'it is in the address');
  await until(async () => (await apart.call('GET', '/v1/networks')).networks.length === 1, 'the network is made');
  const trace = await apart.call('POST', '/v1/networks/article-step/trace', { data: article.rows });
  const recorded = JSON.parse(await readFile(new URL('../../web/src/glass/article_trace.json', import.meta.url)));
  assert.deepEqual(recorded, trace, 'npm run article');
  await finish(page);
  await apart.stop();
});

test('arrow keys walk from number to number and from phase to phase', async () => {
  const page = await open_page();
  await page.goto(`${server.url}/#/glass`);
  const focused = page.locator('td.focused button');
  await focused.waitFor();
  await focused.focus();
  const visited = new Set();
  for (let presses = 0; presses < 80; presses++) {
    visited.add(new URL(page.url()).hash);
    await page.keyboard.press('ArrowRight');
    if (/phase=update/.test(page.url())) break;
  }
  assert.match(page.url(), /phase=update/);
  assert.ok(visited.size > 20, `visited ${visited.size}`);
  assert.ok((await page.locator('td.lit').count()) >= 2);
  await until(() => page.locator('.focus math').count(), 'the sum with its numbers');
  await page.context().close();
});
