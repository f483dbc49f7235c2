import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { finish, network_of, open_page, set_up, shown_step, until } from './support.mjs';

const server = set_up();

const view_of = (name) => server.call('GET', `/v1/networks/${name}`);

/** A trained network of the Lab, opened. */
async function opened(name, more = {}) {
  const dataset = more.dataset ?? 'article-xor';
  await server.call('POST', '/v1/networks', { name, inputs: 2, layers: [{ units: 4 }, { units: 2 }], seed: 1, labels: { dataset }, ...more.spec });
  await server.call('POST', `/v1/networks/${name}/train`, { dataset, steps: more.steps ?? 300 });
  const page = await open_page();
  await page.goto(`${server.url}/#/lab?net=${name}`);
  await until(async () => (await shown_step(page)) === (more.steps ?? 300), 'the newest step');
  return page;
}
/** Does something that makes a new network, and gives its description. */
async function makes_new(page, action) {
  const before_name = network_of(page);
  await action();
  await until(() => network_of(page) !== before_name, 'a new network');
  return view_of(network_of(page));
}

test('neurons and layers come and go, each click counts, and what fits is kept', async () => {
  const page = await opened('shape');
  const more = page.getByRole('button', { name: 'One neuron more in layer 1' });
  for (let k = 0; k < 3; k++) await more.click();
  await until(async () => (await view_of(network_of(page))).layers[0].units === 7, 'three neurons more');
  const old = await server.call('GET', '/v1/networks/shape/model');
  const grown = await server.call('GET', `/v1/networks/${network_of(page)}/model`);
  assert.deepEqual(grown.parameters.slice(0, 4), old.parameters.slice(0, 4));
  const added = await makes_new(page, () => page.getByRole('button', { name: '+ Layer' }).click());
  assert.equal(added.layers.length, 3);
  await page.getByRole('button', { name: 'One neuron fewer in layer 2' }).click();
  await until(async () => (await view_of(network_of(page))).layers[1].units === 6, 'one neuron fewer');
  await page.getByRole('button', { name: '− Layer' }).click();
  await until(async () => (await view_of(network_of(page))).layers.length === 2, 'one layer fewer');
  assert.equal((await view_of('shape')).step, 300, 'what was trained stays');
  await finish(page);
});

test('a weight and an activation are changed by hand', async () => {
  const page = await opened('hand');
  await page.locator('#neuron-0-1').click();
  const inspector = page.getByRole('group', { name: 'The chosen neuron' });
  assert.match(page.url(), /neuron=0\.1/, 'the address says which neuron');
  const weight = inspector.getByRole('spinbutton').first();
  await makes_new(page, async () => {
    await weight.fill('1.25');
    await weight.press('Enter');
  });
  const { parameters } = await server.call('GET', `/v1/networks/${network_of(page)}/model`);
  const before_change = (await server.call('GET', '/v1/networks/hand/model')).parameters;
  assert.deepEqual(parameters, before_change.map((value, k) => (k === 1 ? 1.25 : value)));
  const relu = await makes_new(page, () => inspector.getByRole('combobox').selectOption('relu'));
  assert.equal(relu.layers[0].activation, 'relu');
  await finish(page);
});

test('a fork at a past step begins there', async () => {
  const page = await opened('parent');
  await page.evaluate(() => { location.hash = '#/lab?net=parent&step=120'; });
  await until(async () => (await shown_step(page)) === 120, 'the past step');
  const fork = await makes_new(page, () => page.getByRole('button', { name: 'Fork here' }).click());
  assert.deepEqual([fork.step, fork.forked_from.network, fork.forked_from.step], [120, 'parent', 120]);
  await page.getByText('forked from parent at step 120').waitFor();
  await page.goto(`${server.url}/#/runs`);
  await page.getByText('at step 120').waitFor();
  await finish(page);
});

test('points are moved and deleted', async () => {
  const page = await opened('points');
  const rows = async () => (await server.call('GET', `/v1/datasets/${(await view_of('points')).labels.dataset}/rows?limit=500`)).rows;
  const all = await rows();
  await page.getByRole('button', { name: 'Move', exact: true }).click();
  const at = await page.locator('.plane svg circle').nth(5).boundingBox();
  await page.mouse.move(at.x + at.width / 2, at.y + at.height / 2);
  await page.mouse.down();
  await page.mouse.move(at.x + 40, at.y + 30, { steps: 4 });
  await page.mouse.up();
  const moved = await until(async () => { const now = await rows(); return now.some((row, k) => row.x1 !== all[k].x1) && now; }, 'one point is elsewhere');
  assert.equal(moved.filter((row, k) => row.x1 !== all[k].x1 || row.x2 !== all[k].x2).length, 1);
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  const doomed = await page.locator('.plane svg circle').nth(9).boundingBox();
  await page.mouse.click(doomed.x + doomed.width / 2, doomed.y + doomed.height / 2);
  await until(async () => (await rows()).length === all.length - 1, 'one point fewer');
  await finish(page);
});

test('each of the seven built-in data sets is learned by choosing it', async () => {
  const page = await opened('sets', { steps: 20 });
  const data = page.getByRole('combobox', { name: 'Data' });
  for (const name of ['lab-circles', 'lab-moons', 'lab-spirals', 'lab-blobs', 'lab-checkerboard', 'lab-plane', 'article-xor']) {
    const made = await makes_new(page, () => data.selectOption(name));
    assert.equal(made.labels.dataset, name);
    await until(async () => (await shown_step(page)) > 2, `${name} is being learned`);
  }
  await finish(page);
});

test('more than two inputs: two of them or two principal components, and the address says which', async () => {
  const lines = ['a,b,c,d,kind'];
  for (let k = 0; k < 80; k++) lines.push([k % 7, (k * 3) % 11, (k * 5) % 13, k % 4, k % 2 ? 'even' : 'odd'].join(','));
  await fetch(`${server.url}/v1/datasets?name=four&target=kind`, { method: 'POST', headers: { 'Content-Type': 'text/csv' }, body: `${lines.join('\n')}\n` });
  await server.call('POST', '/v1/networks', { name: 'four', dataset: 'four', layers: [{ units: 6 }] });
  await server.call('POST', '/v1/networks/four/train', { dataset: 'four', steps: 100 });
  const page = await open_page();
  await page.goto(`${server.url}/#/lab?net=four`);
  await page.getByRole('combobox', { name: 'y', exact: true }).selectOption('3');
  await until(() => /y=3/.test(page.url()), 'the axis is in the address');
  await until(async () => (await page.locator('.plane svg').first().innerHTML()).includes('>d<'), 'the axis has its name');
  await page.getByRole('combobox', { name: 'Plane' }).selectOption('pca');
  await until(async () => (await page.locator('.plane svg').first().innerHTML()).includes('PC 1'), 'principal components');
  const other = await open_page();
  await other.goto(page.url());
  await until(async () => (await other.locator('.plane svg').first().innerHTML().catch(() => '')).includes('PC 1'), 'the same picture by the link');
  await other.context().close();
  await finish(page);
});

test('with many inputs principal components are shown first, and a mark for each class by its name', async () => {
  await server.call('POST', '/v1/networks', { name: 'digits', dataset: 'sample-digits', layers: [{ units: 4 }], labels: { dataset: 'sample-digits' } });
  const page = await open_page();
  await page.goto(`${server.url}/#/lab?net=digits`);
  const texts = () => page.locator('.plane svg text').allTextContents();
  await until(async () => (await texts()).includes('PC 1'), 'principal components');
  await until(async () => (await texts()).slice(-10).join() === '0,1,2,3,4,5,6,7,8,9', 'the ten classes');
  await page.getByRole('combobox', { name: 'Plane' }).selectOption('two');
  await until(async () => (await texts()).includes('r0c0'), 'two inputs where they are asked for');
  await server.call('POST', '/v1/networks', { name: 'nameless', inputs: 2, layers: [{ units: 4 }, { units: 2 }] });
  await page.evaluate(() => { location.hash = '#/lab?net=nameless'; });
  await until(async () => (await texts()).includes('x1'), 'another network, about nothing that is known');
  assert.equal(await page.locator('.plane svg circle').count(), 1, 'no points: only the mark of the legend');
  await finish(page);
});

test('the doctor names an explosion, and a remedy is one click', async () => {
  await server.call('POST', '/v1/recipes/exploding', {}).catch(() => {});
  const name = (await server.call('GET', '/v1/networks')).networks.find((one) => /explod/.test(one.name))?.name;
  assert.ok(name, 'the recipe made a network');
  await until(async () => !['running', 'queued'].includes((await view_of(name)).last_job?.state), 'trained');
  const page = await open_page();
  await page.goto(`${server.url}/#/lab?net=${name}`);
  const doctor = page.getByRole('region', { name: 'Doctor' });
  await doctor.locator('.remedies button').first().waitFor();
  await doctor.getByText('Evidence').waitFor();
  const early = await until(async () => {
    const answer = await server.call('GET', `/v1/networks/${name}/diagnosis?step=40`); // a job while it replays
    return answer.verdict && answer;
  }, 'step 40 is diagnosed');
  assert.equal(early.verdict, 'healthy');
  await page.evaluate((net) => { location.hash = `#/lab?net=${net}&step=40`; }, name);
  await doctor.getByText(early.summary).waitFor();
  await page.getByRole('button', { name: 'Back to now' }).click();
  await doctor.getByText('Evidence').waitFor();
  await makes_new(page, () => doctor.locator('.remedies button').first().click());
  assert.equal((await view_of(network_of(page))).forked_from.network, name);
  await finish(page);
});

test('figures leave as SVG, PNG and CSV, runs as GIF, as three panels and as one HTML file', async () => {
  const page = await opened('exported', { steps: 60 });
  const save = async (region, item) => {
    const figure = page.getByRole('region', { name: region });
    await figure.getByRole('button', { name: 'Export' }).click();
    const downloading = page.waitForEvent('download');
    await figure.getByRole('button', { name: item, exact: typeof item === 'string' }).click();
    const download = await downloading;
    return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
  };
  for (const region of ['Network', 'Decision boundary', 'Loss', 'Accuracy', 'Gradient norm']) {
    const svg = (await save(region, 'SVG')).bytes.toString();
    assert.match(svg, /^(<\?xml[^>]*>\s*)?<svg /, region);
    assert.match(svg, /<title>/, region);
    assert.deepEqual([...(await save(region, 'PNG')).bytes.subarray(1, 4)], [...Buffer.from('PNG')], region);
    const csv = { Network: 'CSV: Weights', 'Decision boundary': 'CSV: Answers' }[region] ?? 'CSV';
    assert.ok((await save(region, csv)).bytes.toString().split('\n').length > 5, region);
  }
  for (const item of ['GIF over time', 'Three panels (GIF)']) {
    const { bytes } = await save('Decision boundary', item);
    assert.equal(bytes.subarray(0, 6).toString(), 'GIF89a', item);
  }
  const replay = await save('Decision boundary', /HTML/);
  const alone = await open_page();
  await alone.setContent(replay.bytes.toString());
  await alone.locator('canvas, svg, img').first().waitFor();
  assert.deepEqual(alone.faults, []);
  await alone.context().close();
  await finish(page);
});
