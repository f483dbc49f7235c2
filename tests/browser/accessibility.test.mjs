import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { axe_source, finish, open_page, routes, set_up, settled, until } from './support.mjs';

const axe = await readFile(axe_source, 'utf8');
const server = set_up(['--demo'], (started) =>
  until(async () => (await started.call('GET', '/v1/networks/demo')).state === 'idle', 'the demo is trained'),
);

for (const theme of ['light', 'dark'])
  for (const language of ['en', 'zh'])
    test(`axe finds nothing: ${theme}, ${language}`, async () => {
      const page = await open_page({ theme, language });
      for (const route of routes) {
        await page.goto(`${server.url}/#/${route === 'lab' ? 'lab?net=demo' : route}`);
        await settled(page);
        await page.evaluate(axe); // by the debugger: the page's policy lets no foreign script in
        const found = await page.evaluate(() => window.axe.run());
        const told = found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).slice(0, 3)}`);
        assert.deepEqual(told, [], `${route} ${theme} ${language}`);
      }
      await finish(page);
    });
