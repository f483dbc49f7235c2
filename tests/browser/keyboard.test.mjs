// The whole way of a newcomer with nothing but a keyboard: whatever has the focus shows it, and nothing hides it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finish, network_of, open_page, set_up, shown_step, until } from './support.mjs';

const server = set_up();
const kStopsMax = 160;

/** Why the focus is not to be seen where it is now; null where it is. Runs in the page. */
function hidden_focus() {
  const at = document.activeElement;
  if (at === document.body) return null; // between the last stop and the first
  const shown = at.matches('.hidden') ? at.closest('label') : at;
  const { outlineStyle, outlineWidth } = getComputedStyle(shown);
  const what = `${at.outerHTML.slice(0, 160)} …`;
  if (outlineStyle === 'none' || Number.parseFloat(outlineWidth) < 2) return `no ring: ${what}`;
  const box = shown.getBoundingClientRect();
  const [left, right] = [Math.max(0, box.left), Math.min(innerWidth, box.right)];
  const [top, bottom] = [Math.max(0, box.top), Math.min(innerHeight, box.bottom)];
  if (right <= left || bottom <= top) return `out of sight: ${what}`;
  const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  return shown.contains(hit) || hit?.contains(shown) ? null : `covered by ${hit?.outerHTML.slice(0, 80)}: ${what}`;
}

/** Presses Tab until `check` holds in the page. */
async function tab_to(page, what, check, argument) {
  for (let stops = 0; stops < kStopsMax; stops++) {
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(hidden_focus), null, `on the way to ${what}`);
    if (await page.evaluate(check, argument)) return;
  }
  assert.fail(`${what} can't be reached`);
}
const button = (text) => [text, (wanted) => document.activeElement.matches('button, a, label, summary') && document.activeElement.textContent.trim().startsWith(wanted), text];
const id = (start) => [start, (wanted) => document.activeElement.id.startsWith(wanted), start];
const field = (label) => [label, (wanted) => document.activeElement.matches('input, select') && document.activeElement.closest('label')?.textContent.trim().startsWith(wanted), label];

function table(rows) {
  const lines = ['size,weight,colour,kind'];
  for (let k = 0; k < rows; k++) {
    const [size, weight] = [((k * 37) % 100) / 10, ((k * 53) % 100) / 5];
    lines.push(`${size},${weight},${k % 3 ? 'red' : 'green'},${size + weight > 15 ? 'large' : 'small'}`);
  }
  return Buffer.from(`${lines.join('\n')}\n`);
}

test('a newcomer goes all the way by keyboard alone', async (t) => {
  const page = await open_page();
  const press = (key) => page.keyboard.press(key);
  const go = async (name) => {
    await tab_to(page, ...button(name));
    await press('Enter');
  };
  let chooser = null;
  page.on('filechooser', (opened) => { chooser = opened; });
  await page.goto(server.url);
  await until(async () => (await shown_step(page)) > 0, 'the demonstration runs');

  await t.test('Lab: pause, step, back in time, a weight, a neuron more, a point', async () => {
    await press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
    await press('Enter');
    await go('Pause');
    await page.getByRole('button', { name: 'Play' }).waitFor();
    assert.ok(await page.evaluate(() => document.activeElement.textContent.trim() === 'Play'), 'the focus stays where it was');
    await tab_to(page, ...button('Step'));
    const before_step = await shown_step(page);
    await press('Enter');
    await until(async () => (await shown_step(page)) > before_step, 'one step more');
    await tab_to(page, 'the timeline', () => document.activeElement.type === 'range');
    await press('ArrowLeft');
    await until(() => /step=\d+/.test(page.url()), 'a past step is in the address');
    await go('Back to now');
    await go('+ Layer');
    await until(async () => (await server.call('GET', `/v1/networks/${network_of(page)}`)).layers.length === 3, 'a layer more');
    await tab_to(page, ...id('neuron-'));
    await press('ArrowRight');
    await press('ArrowDown');
    await press('Enter');
    await page.getByRole('group', { name: 'The chosen neuron' }).waitFor();
    const before_weight = network_of(page);
    await tab_to(page, ...field('Weight from'));
    await page.keyboard.type('1.5');
    await press('Enter');
    await until(() => network_of(page) !== before_weight, 'a weight of its own');
    await go('Add points');
    await tab_to(page, 'the plane', () => document.activeElement.getAttribute('role') === 'application');
    await press('ArrowUp');
    await press('Enter');
    await until(async () => (await server.call('GET', '/v1/datasets')).datasets.some((one) => one.rows === 301), 'a point more');
  });

  await t.test('Lessons: XOR is run, and the next one leads to the glass box', async () => {
    await go('Lessons');
    await page.getByRole('heading', { level: 1, name: 'Bricks' }).waitFor();
    await go('XOR →');
    await page.getByRole('heading', { level: 1, name: 'XOR' }).waitFor();
    await go('Start');
    await until(async () => (await page.locator('.plane canvas').count()) === 1, 'it learns');
    await go('One step by hand →');
    await go('Open the glass box');
    await page.getByRole('heading', { level: 1, name: 'One training step, number by number' }).waitFor();
  });

  await t.test('Glass box: from number to number, from phase to phase', async () => {
    await go('3Backward');
    await until(() => /phase=backward/.test(page.url()), 'the third phase');
    await tab_to(page, ...id('cell-'));
    const seen = new Set();
    for (let k = 0; k < 5; k++) {
      await press('ArrowRight');
      await until(() => page.evaluate(() => document.activeElement.matches('td.focused button')), 'a number has the focus');
      seen.add(page.url());
    }
    assert.equal(seen.size, 5);
  });

  await t.test('Data: a file, its target, a training', async () => {
    await go('Data');
    await tab_to(page, 'the file', () => document.activeElement.type === 'file');
    await press('Enter');
    await (await until(() => chooser, 'the list of files opens')).setFiles({ name: 'Fruit.csv', mimeType: 'text/csv', buffer: table(200) });
    await page.getByRole('region', { name: 'Check the file' }).waitFor();
    await tab_to(page, ...field('Target'));
    await press('ArrowUp');
    assert.equal(await page.getByRole('combobox', { name: 'Target' }).inputValue(), 'colour');
    await press('ArrowDown');
    assert.equal(await page.getByRole('combobox', { name: 'Target' }).inputValue(), 'kind');
    await go('Upload');
    await until(() => page.evaluate(() => document.activeElement.matches('h2') && document.activeElement.textContent.startsWith('fruit')), 'what was made has the focus');
    await tab_to(page, ...field('Steps'));
    await press('Control+a');
    await page.keyboard.type('400');
    await go('Train on fruit');
    await until(() => /#\/models\?net=fruit-/.test(page.url()), 'the Models page');
  });

  await t.test('Models: publish, serve, try', async () => {
    const name = network_of(page);
    await until(async () => (await server.call('GET', `/v1/networks/${name}`)).last_job?.state === 'succeeded', 'trained');
    await tab_to(page, ...field('size'));
    await press('Control+a');
    await page.keyboard.type('9.5');
    await tab_to(page, ...field('weight'));
    await press('Control+a');
    await page.keyboard.type('19');
    await press('Enter');
    await page.getByText('It says large').waitFor();
    await go('Publish step');
    await page.getByRole('row', { name: /^1 / }).waitFor();
    await go('Serve as');
    await until(async () => (await server.call('GET', `/v1/networks/${name}/versions`)).aliases.default === 1, 'served');
  });
  await finish(page);
});
