import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { Server, launch, open_page, until } from './support.mjs';

const golden = JSON.parse(await readFile(new URL('../golden/article_step.json', import.meta.url)));
const kTolerance = 2e-8;
let browser;
let server;
before(async () => {
  browser = await launch();
  server = await Server.start();
});
after(async () => {
  await browser.close();
  await server.stop();
});

const numbers_on = (page) =>
  page
    .locator('.sheets td')
    .allTextContents()
    .then((texts) => texts.map((text) => Number(text.replaceAll('−', '-'))));

test('every value that the article prints is on the page', async () => {
  const page = await open_page(browser);
  const shown = [];
  for (const phase of ['forward', 'loss', 'backward', 'update']) {
    await page.goto(`${server.url}/#/glass?phase=${phase}`);
    await page.locator('.sheets td').first().waitFor();
    shown.push(...(await numbers_on(page)));
  }
  for (const [name, matrix] of Object.entries(golden.printed_in_article))
    for (const value of matrix.flat())
      assert.ok(shown.some((one) => Math.abs(one - value) <= kTolerance), `${name}: ${value}`);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('arrow keys walk from number to number and from phase to phase', async () => {
  const page = await open_page(browser);
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
