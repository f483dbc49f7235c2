// Every state that a person can meet, made real by the program's own limits and keys, told in both languages with what
// to do next. (A server that is gone, and an old tab: resilience.test.mjs.)
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Server, binary, finish, open_page, set_up, shown_step, until, words } from './support.mjs';

const run = promisify(execFile);
set_up(null);

const spec = { inputs: 2, layers: [{ units: 4 }, { units: 2 }], labels: { dataset: 'article-xor' } };
const endless = { dataset: 'article-xor', steps: 1_000_000_000, pace: { steps_per_second: 50 } };
const begin = (server, name) => server.call('POST', `/v1/networks/${name}/train`, endless, { Prefer: 'respond-async' });
/** A training that waits, since an earlier one of the same network is paused. */
async function queue(server, name) {
  await server.call('POST', '/v1/networks', { name, ...spec });
  const first = await begin(server, name);
  await server.call('POST', `/v1/jobs/${first.id}/pause`);
  const second = await begin(server, name);
  assert.equal(second.state, 'queued');
  return [first, second];
}
async function key_of(server, ...options) {
  const { stdout } = await run(binary, ['key', 'create', '--data-dir', server.folder, ...options]);
  return stdout.match(/[\w-]{20,}/)[0];
}
/** Restarts with the keys in force. */
async function closed_server(...keys) {
  const server = await Server.start();
  const made = [];
  for (const options of keys) made.push(await key_of(server, ...options));
  await server.kill();
  await server.run();
  return [server, ...made];
}

for (const language of ['en', 'zh']) {
  const say = await words(language);
  const title = (text) => `${language}: ${text}`;

  test(title('empty'), async () => {
    const server = await Server.start();
    const page = await open_page({ language });
    await page.goto(`${server.url}/#/runs`);
    await page.getByText(say['runs.empty']).waitFor();
    assert.equal(await page.getByRole('link', { name: say['lab.start_demo'] }).getAttribute('href'), '#/lab');
    await page.goto(`${server.url}/#/system`);
    await page.getByText(say['system.queue_empty']).waitFor();
    await page.goto(`${server.url}/#/models`);
    await page.getByText(say['runs.empty']).waitFor();
    await page.getByRole('link', { name: say['lab.start_demo'] }).click();
    await until(async () => (await shown_step(page)) > 0, 'the way out of emptiness leads to a network that learns');
    await finish(page);
    await server.stop();
  });

  test(title('a network that is not there'), async () => {
    const server = await Server.start();
    const page = await open_page({ language });
    await page.goto(`${server.url}/#/lab?net=nobody`);
    await page.getByText(say['lab.missing'].replace('{network}', 'nobody')).waitFor();
    await page.getByRole('link', { name: say['lab.start_demo'] }).waitFor();
    await finish(page);
    await server.stop();
  });

  test(title('queued, and begun when its turn comes'), async () => {
    const server = await Server.start();
    const [first] = await queue(server, 'patient');
    const page = await open_page({ language });
    await page.goto(`${server.url}/#/lab?net=patient`);
    await page.locator('h1', { hasText: say['story.queued'].split('{data}')[0] }).waitFor();
    await page.locator('.which .badge', { hasText: say['word.queued'] }).waitFor();
    await page.getByRole('link', { name: say['lab.see_queue'] }).click();
    const jobs = page.getByRole('region', { name: say['system.queue'] });
    await jobs.getByRole('row', { name: new RegExp(say['word.queued']) }).waitFor();
    const blocking = jobs.getByRole('row', { name: new RegExp(say['word.paused']) });
    await blocking.getByRole('button', { name: say['system.resume'] }).waitFor();
    await blocking.getByRole('button', { name: say['models.stop'] }).click();
    await until(async () => (await server.call('GET', `/v1/jobs/${first.id}`)).state === 'cancelled', 'the first is stopped');
    await page.goto(`${server.url}/#/lab?net=patient`);
    await until(async () => (await shown_step(page)) > 3, 'it learns');
    await page.locator('.which .badge', { hasText: say['lab.live'] }).waitFor();
    await finish(page);
    await server.stop();
  });

  test(title('too many jobs: refused, and done by one click once there is room'), async () => {
    const server = await Server.start(['--jobs-waiting-max', '2']);
    const [, second] = await queue(server, 'patient');
    await server.call('POST', '/v1/networks', { name: 'third', ...spec });
    const page = await open_page({ language });
    await page.goto(`${server.url}/#/lab?net=third`);
    await page.getByRole('button', { name: say['lab.play'], exact: true }).click();
    const alert = page.getByRole('alert');
    await alert.getByRole('heading', { name: say['state.too_many'] }).waitFor();
    assert.match(await alert.textContent(), new RegExp(say['state.too_many_next'].split('{seconds}')[0]));
    await server.call('POST', `/v1/jobs/${second.id}/cancel`);
    await alert.getByRole('button', { name: say['state.retry'] }).click();
    await alert.waitFor({ state: 'detached' });
    await until(async () => (await shown_step(page)) > 3, 'it learns');
    await finish(page);
    await server.stop();
  });

  test(title('too many requests: a key that may ask once a second'), async () => {
    const [server, key] = await closed_server(['--scope', 'admin', '--requests-per-second', '1']);
    const page = await open_page({ language });
    await page.addInitScript((value) => sessionStorage.setItem('mlpd-key', value), key);
    await page.goto(`${server.url}/#/runs`);
    await page.goto(`${server.url}/#/data`);
    const alert = page.getByRole('alert').first();
    await until(async () => {
      if ((await alert.count()) > 0) return true;
      await page.reload();
      return false;
    }, 'refused');
    await alert.getByRole('heading', { name: say['state.too_many'] }).waitFor();
    assert.match(await alert.textContent(), new RegExp(say['state.too_many_next'].split('{seconds}')[0]));
    await alert.getByRole('button', { name: say['state.retry'] }).waitFor();
    await finish(page);
    await server.stop();
  });

  test(title('no key, a wrong key, too small a key, the right key'), async () => {
    const [server, small, right] = await closed_server(['--scope', 'read'], ['--scope', 'train']);
    const page = await open_page({ language });
    await page.goto(server.url);
    const alert = page.getByRole('alert');
    const enter = async (key) => {
      await alert.getByLabel(say['state.key']).fill(key);
      await alert.getByRole('button', { name: say['state.use_key'] }).click();
    };
    await alert.getByRole('heading', { name: say['state.forbidden'] }).waitFor();
    await alert.getByText(say['state.forbidden_next']).waitFor();
    await enter('mlpd_wrong');
    await alert.getByRole('heading', { name: say['state.forbidden'] }).waitFor();
    await enter(small);
    await alert.getByRole('heading', { name: say['state.denied'] }).waitFor();
    await alert.getByText(say['state.denied_next']).waitFor();
    await enter(right);
    await until(async () => (await shown_step(page)) > 0, 'the demonstration runs');
    await alert.waitFor({ state: 'detached' });
    await finish(page);
    await server.stop();
  });

  test(title('too large'), async () => {
    const server = await Server.start(['--dataset-body-bytes-max', '20000']);
    const page = await open_page({ language });
    await page.goto(`${server.url}/#/data`);
    const text = `a,kind\n${Array.from({ length: 9000 }, (_, k) => `${k},${k % 2}`).join('\n')}\n`;
    await page.locator('input[type=file]').setInputFiles({ name: 'big.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
    await page.getByRole('button', { name: say['data.upload'] }).click();
    const alert = page.getByRole('alert');
    await alert.getByRole('heading', { name: say['state.too_large'] }).waitFor();
    await alert.getByText(say['state.too_large_next']).waitFor();
    await finish(page);
    await server.stop();
  });

  test(title('diverged: said, with the last finite state, the doctor and its remedies'), async () => {
    const server = await Server.start();
    const optimizer = { type: 'sgd', learning_rate: 1e6 };
    const layers = [{ units: 8, activation: 'relu' }, { units: 1, activation: 'linear' }];
    await server.call('POST', '/v1/networks', { name: 'wild', inputs: 2, layers, optimizer, labels: { dataset: 'article-xor' } });
    const rows = Array.from({ length: 20 }, (_, k) => [k, -k]);
    const job = await server.call('POST', '/v1/networks/wild/train', { data: { inputs: rows, targets: rows.map(([k]) => 100 * k) }, steps: 500 });
    assert.equal(job.stop_reason, 'diverged');
    const page = await open_page({ language });
    await page.goto(`${server.url}/#/lab?net=wild`);
    await page.locator('h1', { hasText: say['story.diverged'].split('{step}')[0] }).waitFor();
    const doctor = page.getByRole('region', { name: say['doctor.title'] });
    await doctor.getByText(say['doctor.diverged'], { exact: true }).first().waitFor();
    await doctor.locator('.remedies button').first().waitFor();
    await page.goto(`${server.url}/#/runs`);
    await page.getByRole('row', { name: /wild/ }).getByText(say['word.diverged']).waitFor();
    await finish(page);
    await server.stop();
  });
}

test('an answer that is late does not undo a newer one', async () => {
  const server = await Server.start();
  const [first] = await queue(server, 'patient');
  const page = await open_page();
  const url = `${server.url}/v1/networks/patient`;
  let asked = 0;
  let let_go;
  await page.route(url, async (route) => {
    if (++asked !== 2) return route.continue();
    const response = await route.fetch();
    await new Promise((resolve) => {
      let_go = resolve;
    });
    await route.fulfill({ response });
  });
  await page.goto(`${server.url}/#/lab?net=patient`);
  await page.locator('.which .badge', { hasText: 'queued' }).waitFor();
  await until(() => let_go, 'the second answer, made while it is queued, is held back');
  await server.call('POST', `/v1/jobs/${first.id}/cancel`);
  await page.locator('.which .badge', { hasText: 'live' }).waitFor();
  const late = page.waitForResponse((response) => response.url() === url);
  let_go();
  await (await late).finished();
  const then = await shown_step(page);
  await until(async () => (await shown_step(page)) > then, 'it goes on');
  assert.equal(await page.locator('.which .badge').textContent(), 'live');
  await finish(page);
  await server.stop();
});
