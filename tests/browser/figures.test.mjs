// Behind every picture stands a table of its numbers, for the keyboard and for screen readers; and what moves rests
// where people asked for less motion.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finish, open_page, set_up, settled, shown_step, until } from './support.mjs';

const server = set_up([], async (started) => {
  for (const [name, units] of [['first', 8], ['second', 3]]) {
    await started.call('POST', '/v1/networks', { name, inputs: 2, layers: [{ units }, { units: 2 }], labels: { dataset: 'article-xor' } });
    await started.call('POST', `/v1/networks/${name}/train`, { dataset: 'article-xor', steps: 60 });
  }
});

/** Where figures are, and how many at least. */
const places = {
  'lab?net=first': 5,
  glass: 0,
  'glass?net=first': 0,
  'lessons/bricks': 2,
  'lessons/xor?runs=first': 2,
  'lessons/size?runs=first,second': 3,
  'lessons/explosion?runs=first': 2,
  'lessons/remedies?runs=first,second': 3,
  'lessons/vanishing?runs=first,second': 3,
  'runs?compare=first,second': 4,
  'data?dataset=article-xor': 2,
  'models?net=first': 0,
  api: 0,
  system: 1,
};

/** Pictures of the page that stand outside of everything that has a table, or that no screen reader is told of. */
function pictures_alone() {
  const told = (element) => element.closest('[aria-hidden="true"]') === null;
  const pictures = [...document.querySelectorAll('main :is([role=img], [role=application], canvas, svg, img)')].filter(told);
  const alone = pictures.filter((one) => !one.closest('section, article')?.querySelector('table, button[data-numbers]'));
  const nameless = pictures.filter((one) => !one.getAttribute('aria-label'));
  const bars = [...document.querySelectorAll('main i[style*=width]')].filter((one) => !/\d/.test(one.closest('li, td')?.textContent ?? ''));
  return [...alone, ...nameless, ...bars].map((one) => one.outerHTML.slice(0, 120));
}

for (const [place, least] of Object.entries(places))
  test(`every figure has its numbers: ${place}`, async () => {
    const page = await open_page();
    await page.goto(`${server.url}/#/${place}`);
    await settled(page);
    const buttons = page.locator('main button[data-numbers]');
    await until(async () => (await buttons.count()) >= least, `${least} figures`);
    assert.deepEqual(await page.evaluate(pictures_alone), []);
    for (const button of await buttons.all()) {
      await button.focus();
      await page.keyboard.press('Enter');
      assert.equal(await button.getAttribute('aria-expanded'), 'true');
      const figure = page.locator('main :is(section, article)', { has: page.locator('button[data-numbers]:focus') }).last();
      const title = await figure.getAttribute('aria-label');
      const tables = await figure.locator('table').all();
      assert.ok(tables.length > 0, title);
      for (const table of tables) {
        assert.ok((await table.locator('caption').textContent()).length > 0, `${title}: what the table is`);
        assert.ok((await table.locator('thead th').count()) > 1, `${title}: what its columns are`);
        const cells = await table.locator('tbody tr').first().locator('td, th').allTextContents();
        assert.ok(cells.some((text) => /\d/.test(text)), `${title}: ${cells}`);
      }
    }
    await finish(page);
  });

test('the table of a boundary is what the picture shows', async () => {
  const page = await open_page();
  await page.goto(`${server.url}/#/lab?net=first`);
  await until(async () => (await shown_step(page)) > 0, 'shown');
  const figure = page.getByRole('region', { name: 'Decision boundary' });
  await figure.getByRole('button', { name: 'Numbers' }).focus();
  await page.keyboard.press('Enter');
  await until(async () => {
    await page.keyboard.press('Tab');
    return page.evaluate(() => document.activeElement.matches('.numbers[role=region]'));
  }, 'the table has the focus, so that its arrow keys scroll it');
  const map = figure.locator('table').first();
  const across = (await map.locator('thead th').allTextContents()).slice(1).map(Number);
  const down = (await map.locator('tbody th').allTextContents()).map(Number);
  assert.deepEqual([across.length, down.length], [11, 11]);
  const shown = (await map.locator('tbody td').allTextContents()).map(Number);
  const places = down.flatMap((y) => across.map((x) => [x, y]));
  const { outputs } = await server.call('POST', '/v1/networks/first/predict', { inputs: places });
  // The places are written with three digits, the picture is made at the exact ones.
  const far = outputs.filter(([, share], k) => Math.abs(share - shown[k]) > 0.05);
  assert.ok(far.length <= 4, `${far.length} of 121 differ`);
  await finish(page);
});

test('with less motion wished for, nothing moves by itself, and pictures change calmly', async () => {
  const page = await open_page({ reducedMotion: 'reduce' });
  let models = 0;
  page.on('request', (request) => { if (/\/model$/.test(new URL(request.url()).pathname)) models++; });
  await page.goto(server.url);
  await until(async () => (await shown_step(page)) > 20, 'the demonstration runs');
  const [from, asked] = [Date.now(), models];
  await until(async () => (await shown_step(page)) > 120, 'it goes on');
  const rate = (1000 * (models - asked)) / (Date.now() - from);
  assert.ok(rate < 1.5, `${rate.toFixed(1)} pictures a second`);
  const moving = () =>
    [...document.querySelectorAll('*')].flatMap((one) => {
      const { animationName, transitionDuration, scrollBehavior } = getComputedStyle(one);
      const still = animationName === 'none' && /^0s(, 0s)*$/.test(transitionDuration) && scrollBehavior !== 'smooth';
      return still ? [] : [one.outerHTML.slice(0, 80)];
    });
  for (const place of Object.keys(places)) {
    await page.goto(`${server.url}/#/${place}`);
    await settled(page);
    assert.deepEqual(await page.evaluate(moving), [], place);
  }
  await finish(page);
});
