import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { readFile } from 'node:fs/promises';
import { Server, finish, network_of, open_page, set_up, shown_step, until } from './support.mjs';

const run = promisify(execFile);
const server = set_up();

const idle = (name) => until(async () => (await server.call('GET', `/v1/networks/${name}`)).state === 'idle', 'idle');

/** The numbers of a figure's CSV file, as the page exports it. */
async function csv_of(page, region, item) {
  const figure = page.getByRole('region', { name: region, exact: true });
  await figure.getByRole('button', { name: 'Export' }).click();
  const downloading = page.waitForEvent('download');
  await figure.getByRole('button', { name: item, exact: true }).click();
  const lines = (await readFile(await (await downloading).path(), 'utf8')).trim().split('\n');
  return lines.slice(1).map((line) => line.split(','));
}

test('time travel shows what the server says of each step: every weight, the loss, every place of the boundary', async (t) => {
  await server.call('POST', '/v1/networks', { name: 'traveller', inputs: 2, layers: [{ units: 5 }, { units: 2 }], seed: 4 });
  await server.call('POST', '/v1/networks/traveller/train', { data: { generator: 'xor' }, steps: 400 });
  const page = await open_page();
  await page.goto(`${server.url}/#/lab?net=traveller`);
  await until(async () => (await shown_step(page).catch(() => 0)) === 400, 'the newest step');
  let state = 12345;
  const random = () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 31;
  };
  let furthest = 0;
  for (let k = 0; k < 20; k++) {
    const step = Math.floor(random() * 400);
    const at = `of step ${step}`;
    await page.evaluate((to) => { location.hash = `#/lab?net=traveller&step=${to}`; }, step);
    const model = await server.call('GET', `/v1/networks/traveller/model?step=${step}`);
    const history = await server.call('GET', `/v1/networks/traveller/history?from_step=${step}&to_step=${step}`);
    const sorted = (values) => [...values].sort((a, b) => a - b);
    const expected = sorted(model.parameters);
    await until(async () => {
      const weights = sorted((await csv_of(page, 'Network', 'CSV: Weights')).map((row) => Number(row[3])));
      return weights.every((weight, i) => weight === expected[i]) && weights.length === expected.length;
    }, `all weights ${at}`);

    const loss = Number(history.loss[0].toPrecision(3));
    assert.match(await page.locator('h1').textContent(), new RegExp(`loss ${String(loss).replace('.', '\\.')}`), `loss ${at}`);
    const recorded = (await csv_of(page, 'Loss', 'CSV')).find((row) => Number(row[0]) === step);
    assert.equal(Number(recorded[1]), history.loss[0], `loss ${at}`);

    const grid = (await csv_of(page, 'Decision boundary', 'CSV: Answers')).map((row) => row.map(Number));
    assert.equal(grid.length, 50 * 50);
    const inputs = grid.map(([x, y]) => [x, y]);
    const { outputs } = await server.call('POST', `/v1/networks/traveller/predict?step=${step}`, { inputs });
    outputs.forEach((answer, i) => {
      for (const [j, value] of answer.entries()) furthest = Math.max(furthest, Math.abs(value - grid[i][2 + j]));
    });
    assert.ok(furthest < 1e-5, `boundary ${at}: ${furthest}`);
    await compare_colours(page, grid, at);
  }
  t.diagnostic(`20 steps × 2500 places × 2 outputs: the furthest from the API's answer is ${furthest.toExponential(1)}`);
  await finish(page);
});

/** The picture itself: at each of its points the colour is on the side of the class that is likelier there. */
async function compare_colours(page, grid, at) {
  const colours = await page.evaluate(() => {
    const canvas = document.querySelector('.plane canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return [canvas.width, Array.from({ length: canvas.width * canvas.height }, (_, k) => data[4 * k] - data[4 * k + 2])];
  });
  const [width, values] = colours;
  assert.equal(width * width, grid.length);
  grid.forEach(([x, y, zero, one], k) => {
    if (Math.abs(one - zero) > 0.2) assert.equal(Math.sign(values[k]), Math.sign(one - zero), `colour ${at} at ${x}, ${y}`);
  });
}

test("a session's curl lines, replayed, give the same model", async () => {
  const page = await open_page();
  await page.goto(server.url);
  await until(async () => (await shown_step(page).catch(() => 0)) > 30, 'the demonstration runs');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Play' }).waitFor();
  await page.getByRole('button', { name: 'Step', exact: true }).click();
  await page.getByLabel('Learning rate').selectOption('0.01');
  await until(async () => (await server.call('GET', `/v1/networks/${network_of(page)}`)).optimizer.learning_rate === 0.01, 'the rate');
  await page.getByRole('button', { name: 'Step', exact: true }).click();
  const first = network_of(page);
  await page.getByRole('button', { name: 'One neuron more in layer 1' }).click();
  await until(() => network_of(page) !== first, 'a new network');
  await page.getByRole('button', { name: 'Step', exact: true }).click();
  const name = network_of(page);
  await until(async () => (await server.call('GET', `/v1/networks/${name}`)).step === 1, 'one step');
  await idle(name);

  await page.getByRole('button', { name: 'Same by curl' }).click();
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save as a script' }).click();
  const script = await (await downloading).path();
  const other = await Server.start();
  await run('sh', [script], { env: { ...process.env, H: other.url } }).catch(async (error) => {
    assert.fail(`${error.stderr}\n${await readFile(script, 'utf8')}`);
  });
  for (const one of [first, name]) {
    const [here, there] = await Promise.all([server.call('GET', `/v1/networks/${one}`), other.call('GET', `/v1/networks/${one}`)]);
    assert.equal(there.state_sha256, here.state_sha256, one);
  }
  await other.stop();
  await finish(page);
});
