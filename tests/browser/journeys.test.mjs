import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Server, binary, finish, open_page, set_up, shown_step, until } from './support.mjs';

const run = promisify(execFile);
const server = set_up();

test('the lessons lead from bricks to vanishing gradients, each live', async () => {
  const page = await open_page();
  await page.goto(`${server.url}/#/lessons`);
  await page.getByRole('heading', { level: 1, name: 'Bricks' }).waitFor();
  const panels = { XOR: 1, 'One step by hand': 0, '3 against 50 neurons': 2, 'The explosion': 1, 'Four remedies, raced': 5, 'Vanishing gradients': 2 };
  for (const [title, count] of Object.entries(panels)) {
    await page.getByRole('link', { name: `${title} →` }).click();
    await page.getByRole('heading', { level: 1, name: title }).waitFor();
    if (count === 0) {
      assert.equal(await page.getByRole('link', { name: /glass box/i }).last().getAttribute('href'), '#/glass');
      continue;
    }
    await page.getByRole('button', { name: 'Start', exact: true }).or(page.locator('button.primary')).first().click();
    await until(async () => (await page.locator('.plane canvas').count()) === count, `${title}: ${count} boundaries`);
    const names = new URLSearchParams(page.url().split('?')[1]).get('runs').split(',');
    assert.equal(names.length, count);
    await until(async () => (await server.call('GET', `/v1/networks/${names[0]}`)).step > 5, `${title} learns`);
    for (const name of names) {
      const { last_job } = await server.call('GET', `/v1/networks/${name}`);
      if (last_job) await server.call('POST', `/v1/jobs/${last_job.id}/cancel`);
    }
  }
  await finish(page);
});

test('versions are published, served and rolled back', async () => {
  await server.call('POST', '/v1/networks', { name: 'served', inputs: 2, layers: [{ units: 4 }, { units: 2 }], labels: { dataset: 'article-xor' } });
  await server.call('POST', '/v1/networks/served/train', { dataset: 'article-xor', steps: 100 });
  const page = await open_page();
  await page.goto(`${server.url}/#/models?net=served`);
  await page.getByRole('button', { name: 'Publish step 100' }).click();
  const alias_is = (version) => until(async () => (await server.call('GET', '/v1/networks/served/versions')).versions.some((one) => one.version === version && one.aliases?.includes('default')), `default is version ${version}`);
  const row = (version) => page.getByRole('row', { name: new RegExp(`^${version} `) });
  await row(1).getByRole('button', { name: /Serve as/ }).click();
  await alias_is(1);
  await server.call('POST', '/v1/networks/served/train', { steps: 50 });
  await page.getByRole('button', { name: 'Publish step 150' }).click();
  await row(2).getByRole('button', { name: /Serve as/ }).click();
  await alias_is(2);
  await row(1).getByRole('button', { name: /Roll back/ }).click();
  await alias_is(1);
  await page.locator('form', { hasText: 'Try it' }).getByRole('combobox', { name: 'Which version' }).selectOption('2');
  await page.getByLabel('x1', { exact: true }).fill('1');
  await page.getByLabel('x2', { exact: true }).fill('1');
  const { outputs } = await server.call('POST', '/v1/networks/served/predict?version=2', { inputs: [[1, 1]] });
  const share = `${(100 * outputs[0][0]).toPrecision(3)}`;
  await until(async () => (await page.getByRole('status').allTextContents()).join(' ').includes(share.slice(0, 3)), `version 2 says ${share} %`);
  assert.match(page.url(), /version=2/, 'the address says which version');
  await page.locator('form', { hasText: 'Try it' }).getByRole('combobox', { name: 'Which version' }).selectOption('default');
  await page.locator('pre', { hasText: 'alias=default' }).waitFor();
  await finish(page);
});

test('a shadow runs along with what is served, and the truth counts for both', async () => {
  const labels = { dataset: 'article-xor' };
  await server.call('POST', '/v1/networks', { name: 'shadowed', inputs: 2, layers: [{ units: 4 }, { units: 2 }], labels });
  await server.call('POST', '/v1/networks/shadowed/train', { dataset: 'article-xor', steps: 20 });
  await server.call('POST', '/v1/networks/shadowed/versions', {});
  await server.call('POST', '/v1/networks/shadowed/train', { dataset: 'article-xor', steps: 20 });
  const page = await open_page();
  await page.goto(`${server.url}/#/models?net=shadowed`);
  const card = page.getByRole('region', { name: 'Shadow' });
  await card.getByLabel('Which version').selectOption('1');
  await card.getByRole('button', { name: 'Let it run along' }).click();
  await card.getByText('version 1').waitFor();
  await page.getByRole('button', { name: 'Predict' }).click();
  await page.getByLabel('What was it really?').selectOption('1');
  await page.getByRole('button', { name: 'Tell the server' }).click();
  await page.getByText('Counted').waitFor();
  const told = await until(async () => {
    const { against } = await server.call('GET', '/v1/networks/shadowed/shadow');
    return against.find((one) => one.feedback?.rows > 0);
  }, 'the shadow is judged too');
  assert.equal(told.version, 'live');
  await until(async () => (await card.locator('tbody tr td').nth(3).textContent().catch(() => '')) === String(told.feedback.rows), 'and shown');
  await card.getByRole('button', { name: 'End it' }).click();
  await card.getByRole('button', { name: 'Let it run along' }).waitFor();
  await assert.rejects(server.call('GET', '/v1/networks/shadowed/shadow'), /404/);
  await finish(page);
});

test('runs: a tree of forks, found by words, compared by curves, boundaries and settings', async () => {
  const labels = { dataset: 'article-xor' };
  const seeds = { dataset: 'article-xor', steps: 60 };
  await server.call('POST', '/v1/networks', { name: 'oak', inputs: 2, layers: [{ units: 8 }, { units: 2 }], labels });
  await server.call('POST', '/v1/networks/oak/train', seeds);
  await server.call('POST', '/v1/networks/oak/fork', { name: 'branch', step: 40 });
  await server.call('POST', '/v1/networks/branch/fork', { name: 'twig', step: 40 });
  await server.call('POST', '/v1/networks', { name: 'elm', inputs: 2, layers: [{ units: 3, activation: 'relu' }, { units: 2 }], labels });
  await server.call('POST', '/v1/networks/elm/train', seeds);
  const page = await open_page();
  await page.goto(`${server.url}/#/runs`);
  const indent = (name) => page.getByRole('row', { name: new RegExp(`Compare ${name}`) }).getByRole('link', { name, exact: true }).evaluate((link) => link.getBoundingClientRect().left);
  const [oak, branch, twig] = [await indent('oak'), await indent('branch'), await indent('twig')];
  assert.ok(oak < branch && branch < twig, `${oak}, ${branch}, ${twig}`);
  const order = (await page.locator('tbody tr a').allTextContents()).filter((name) => ['oak', 'branch', 'twig'].includes(name));
  assert.deepEqual(order, ['oak', 'branch', 'twig']);
  await page.getByRole('searchbox').fill('relu');
  await page.getByRole('row', { name: /Compare oak/ }).waitFor({ state: 'detached' });
  await page.getByRole('checkbox', { name: 'Compare elm' }).check();
  await page.getByRole('searchbox').fill('');
  await page.getByRole('checkbox', { name: 'Compare oak' }).check();
  const compared = page.getByRole('region', { name: 'Compare', exact: true });
  await until(async () => (await compared.locator('.plane canvas').count()) === 2, 'two boundaries side by side');
  for (const name of ['elm', 'oak']) {
    await compared.getByRole('region', { name: 'Loss', exact: true }).locator('.values').getByText(name).waitFor();
    await compared.getByRole('heading', { name }).waitFor();
  }
  assert.equal(await compared.getByRole('region', { name: 'Loss', exact: true }).locator('svg path').count(), 2, 'two curves in one picture');
  const rows = await compared.locator('.differences tbody tr').allTextContents();
  assert.ok(rows.includes('layers.0.units38') && rows.includes('layers.0.activationrelutanh'), rows.join(' | '));
  const other = await open_page();
  await other.goto(page.url());
  await until(async () => (await other.locator('.plane canvas').count()) === 2, 'the link shows the same comparison');
  await finish(other);
  await finish(page);
});

test('a key is asked for where one is needed, and never shown in a curl line', async () => {
  const closed = await Server.start();
  const { stdout } = await run(binary, ['key', 'create', '--data-dir', closed.folder, '--scope', 'admin', '--name', 'test']);
  const key = stdout.match(/[\w-]{20,}/)[0];
  await closed.kill();
  await closed.run();
  const page = await open_page();
  await page.goto(`${closed.url}/#/data`);
  await page.getByText('A key is needed for this').first().waitFor();
  await page.getByLabel('Key').first().fill(key);
  await page.getByRole('button', { name: 'Use this key' }).first().click();
  await page.getByRole('link', { name: 'article-xor' }).waitFor();
  await page.getByRole('button', { name: 'Same by curl' }).click();
  const lines = await page.locator('#curl-lines').textContent();
  assert.match(lines, /\$MLPD_KEY/);
  assert.ok(!lines.includes(key));
  await page.context().close();
  await closed.stop();
});

test('a hundred thousand recorded steps stay fluent', async (t) => {
  await server.call('POST', '/v1/networks', { name: 'long', inputs: 2, layers: [{ units: 2 }, { units: 2 }], labels: { dataset: 'article-xor' } });
  const data = { inputs: [[0, 0], [0, 1], [1, 0], [1, 1]], targets: [0, 1, 1, 0] };
  await server.call('POST', '/v1/networks/long/train', { data, steps: 100_000 });
  await until(async () => (await server.call('GET', '/v1/networks/long')).step === 100_000, 'trained', 300_000);
  const page = await open_page();
  await page.goto(`${server.url}/#/lab?net=long`);
  const start = Date.now();
  await until(async () => (await shown_step(page)) === 100_000, 'the newest step');
  t.diagnostic(`shown after ${Date.now() - start} ms`);
  const drawn = await page.getByRole('region', { name: 'Loss' }).locator('svg path').first().getAttribute('d');
  assert.ok(drawn.split('L').length < 2000, 'the server thins');
  const timeline = page.getByRole('slider');
  await timeline.focus();
  const gaps = await page.evaluate(
    () => new Promise((resolve) => {
      const slider = document.querySelector('input[type=range]');
      const found = [];
      let last = performance.now();
      let frames = 0;
      const turn = (now) => {
        found.push(now - last);
        last = now;
        if (++frames === 60) return resolve(found);
        slider.value = String(100_000 - frames * 1500);
        slider.dispatchEvent(new Event('input', { bubbles: true }));
        requestAnimationFrame(turn);
      };
      requestAnimationFrame(turn);
    }),
  );
  t.diagnostic(`60 frames of scrubbing: median ${gaps.sort((a, b) => a - b)[30].toFixed(1)} ms, worst ${gaps.at(-1).toFixed(1)} ms`);
  await finish(page);
});
