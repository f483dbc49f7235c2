import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { Server, axe_source, launch, open_page, routes, settled, shown_step, until } from './support.mjs';

const axe = await readFile(axe_source, 'utf8');
let browser;
let server;
before(async () => {
  browser = await launch();
  server = await Server.start(['--demo']);
  await until(async () => (await server.call('GET', '/v1/networks/demo')).state === 'idle', 'the demo is trained', 60_000);
});
after(async () => {
  await browser.close();
  await server.stop();
});

for (const theme of ['light', 'dark'])
  for (const language of ['en', 'zh'])
    test(`axe finds nothing: ${theme}, ${language}`, async () => {
      const page = await open_page(browser, { theme, language });
      for (const route of routes) {
        await page.goto(`${server.url}/#/${route === 'lab' ? 'lab?net=demo' : route}`);
        await settled(page);
        await page.evaluate(axe); // by the debugger: the page's policy lets no foreign script in
        const found = await page.evaluate(() => window.axe.run());
        const told = found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).slice(0, 3)}`);
        assert.deepEqual(told, [], `${route} ${theme} ${language}`);
      }
      assert.deepEqual(page.faults, []);
      await page.context().close();
    });

test('a newcomer goes all the way by keyboard alone', async () => {
  const page = await open_page(browser);
  await page.goto(server.url);
  await until(async () => (await shown_step(page)) > 0, 'the demonstration runs');
  const press_until = async (key, check, what) => {
    for (let presses = 0; presses < 60; presses++) {
      await page.keyboard.press(key);
      if (await page.evaluate(check)) return;
    }
    assert.fail(what);
  };
  const on = (text) => `document.activeElement?.matches('button') && document.activeElement.textContent.trim() === '${text}'`;
  await press_until('Tab', on('Pause'), 'Pause is reached');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Play' }).waitFor();
  assert.ok(await page.evaluate(on('Play')), 'the focus stays where it was');
  await press_until('Tab', on('Step'), 'Step is reached');
  const before_step = await shown_step(page);
  await page.keyboard.press('Enter');
  await until(async () => (await shown_step(page)) > before_step, 'one step more', 20_000);
  await press_until('Tab', `document.activeElement?.type === 'range'`, 'the timeline is reached');
  await page.keyboard.press('ArrowLeft');
  await until(async () => /step=\d+/.test(page.url()), 'a past step is in the address');
  await press_until('Tab', `document.activeElement?.id?.startsWith('neuron-')`, 'a neuron is reached');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await page.getByRole('group', { name: 'The chosen neuron' }).waitFor();
  assert.deepEqual(page.faults, []);
  await page.context().close();
});
