import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { readFile } from 'node:fs/promises';
import { Server, launch, open_page, shown_step, until } from './support.mjs';

const run = promisify(execFile);
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

const idle = (name) => until(async () => (await server.call('GET', `/v1/networks/${name}`)).state === 'idle', 'idle', 30_000);
const network_of = (page) => new URLSearchParams(new URL(page.url()).hash.split('?')[1]).get('net');

test('time travel shows what the server says of each step', async () => {
  await server.call('POST', '/v1/networks', { name: 'traveller', inputs: 2, layers: [{ units: 5 }, { units: 2 }], seed: 4 });
  await server.call('POST', '/v1/networks/traveller/train', { data: { generator: 'xor' }, steps: 400 });
  const page = await open_page(browser);
  await page.goto(`${server.url}/#/lab?net=traveller`);
  await until(async () => (await shown_step(page).catch(() => 0)) === 400, 'the newest step');
  await page.getByRole('region', { name: 'Network' }).getByRole('button', { name: 'Numbers' }).click();
  let state = 12345;
  const random = () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 31;
  };
  for (let k = 0; k < 20; k++) {
    const step = Math.floor(random() * 400);
    await page.evaluate((to) => { location.hash = `#/lab?net=traveller&step=${to}`; }, step);
    const model = await server.call('GET', `/v1/networks/traveller/model?step=${step}`);
    const history = await server.call('GET', `/v1/networks/traveller/history?from_step=${step}&to_step=${step}`);
    const first = Number(model.parameters[0].toPrecision(7));
    await until(async () => (await page.locator('.numbers tbody td').nth(3).textContent()) === String(first), `weight of step ${step}`);
    const weights = await page.locator('.numbers tbody tr td:nth-child(4)').allTextContents();
    const sorted = (values) => values.map(Number).sort((a, b) => a - b);
    const expected = sorted(model.parameters.map((value) => value.toPrecision(7)));
    assert.deepEqual(sorted(weights), expected, `weights of step ${step}`);
    const loss = Number(history.loss[0].toPrecision(3));
    assert.match(await page.locator('h1').textContent(), new RegExp(`loss ${String(loss).replace('.', '\\.')}`), `loss of step ${step}`);
    await compare_boundary(page, step);
  }
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

/** The picture's colour is on the side of the class that the server predicts, wherever it is sure. */
async function compare_boundary(page, step) {
  const places = [];
  for (const x of [-2.4, -1.2, 0.9, 2.1]) for (const y of [-2.2, -0.7, 1.1, 2.3]) places.push([x, y]);
  const { outputs } = await server.call('POST', `/v1/networks/traveller/predict?step=${step}`, { inputs: places });
  const colours = await page.evaluate((wanted) => {
    const canvas = document.querySelector('.plane canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const at = (value, low, high) => Math.round(((value - low) / (high - low)) * (canvas.width - 1));
    return wanted.map(([x, y]) => {
      const i = 4 * (at(-y, -3, 3) * canvas.width + at(x, -3, 3));
      return data[i] - data[i + 2];
    });
  }, places);
  outputs.forEach(([zero, one], k) => {
    if (Math.abs(one - zero) > 0.2) assert.equal(Math.sign(colours[k]), Math.sign(one - zero), `step ${step} at ${places[k]}`);
  });
}

test("a session's curl lines, replayed, give the same model", async () => {
  const page = await open_page(browser);
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
  assert.deepEqual(page.faults, []);
  await page.context().close();
});
