import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { finish, open_page, set_up, until } from './support.mjs';

const server = set_up();

/** A table that a small network learns: the kind is decided by size and weight. */
function table(rows) {
  const lines = ['size,weight,colour,kind'];
  for (let k = 0; k < rows; k++) {
    const size = ((k * 37) % 100) / 10;
    const weight = ((k * 53) % 100) / 5;
    lines.push(`${size},${weight},${k % 3 ? 'red' : 'green'},${size + weight > 15 ? 'large' : 'small'}`);
  }
  return `${lines.join('\n')}\n`;
}
const file = (name, text) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });

test('from a CSV file to predictions', async () => {
  const page = await open_page();
  await page.goto(`${server.url}/#/data`);
  await page.locator('input[type=file]').setInputFiles(file('Fruit.csv', table(200)));
  await page.getByRole('region', { name: 'Check the file' }).waitFor();
  assert.equal(await page.getByRole('combobox', { name: 'Target' }).inputValue(), 'kind');
  for (const header of ['size number', 'colour category', 'kind target']) await page.getByRole('columnheader', { name: header }).waitFor();
  await page.getByRole('button', { name: 'Upload' }).click();
  await page.getByRole('heading', { name: /^fruit / }).waitFor();
  for (const column of ['size', 'weight', 'colour', 'kind']) await page.getByRole('article').getByRole('heading', { name: column, exact: true }).waitFor();

  await page.getByRole('button', { name: 'Train on fruit' }).click();
  await until(() => /#\/models\?net=fruit-/.test(page.url()), 'the Models page');
  const name = new URL(page.url()).hash.split('net=')[1];
  await until(async () => (await server.call('GET', `/v1/networks/${name}`)).last_job?.state === 'succeeded', 'trained');
  await page.getByLabel('size').fill('9.5');
  await page.getByLabel('weight').fill('19');
  await page.getByRole('button', { name: 'Predict' }).click();
  await page.getByText('It says large').waitFor();
  await page.getByText('Rows: the true class').waitFor();
  for (const language of ['Python', 'JavaScript', 'C++', 'curl']) {
    await page.getByRole('group', { name: 'From your program' }).getByRole('button', { name: language }).click();
    assert.match(await page.locator('pre').textContent(), /predict/);
  }
  await finish(page);
});

test('a file with faults is refused with their lines, and nothing is stored', async () => {
  const page = await open_page();
  await page.goto(`${server.url}/#/data`);
  await page.locator('input[type=file]').setInputFiles(file('broken.csv', 'a,b,kind\n1,2,x\n1,2,3,4,5\n"open,2,y\n'));
  await page.getByRole('button', { name: 'Upload' }).click();
  const alert = page.getByRole('alert');
  await alert.waitFor();
  assert.match(await alert.textContent(), /line 3/i);
  const { datasets } = await server.call('GET', '/v1/datasets');
  assert.ok(!datasets.some((one) => one.name === 'broken'));
  await page.context().close();
});

test('a search: begun from the data, ranked, its winner opened', async () => {
  await fetch(`${server.url}/v1/datasets?name=berries&target=kind`, { method: 'POST', headers: { 'Content-Type': 'text/csv' }, body: table(120) });
  const page = await open_page();
  await page.goto(`${server.url}/#/data?dataset=berries`);
  await page.getByText('Search the best settings').click();
  const form = page.locator('details');
  await form.getByLabel('Hidden units').fill('2, many');
  await form.getByLabel('Hidden units').press('Enter');
  await form.getByRole('button', { name: 'Numbers, please' }).waitFor();
  assert.deepEqual((await server.call('GET', '/v1/searches')).searches, [], 'nothing is begun with what is no number');
  await form.getByLabel('Hidden units').fill('2, 6');
  await form.getByLabel('Learning rate').fill('0.01 0.05');
  await form.getByLabel('Steps').fill('60');
  await form.getByRole('button', { name: 'Try 4 networks' }).click();
  await until(() => /#\/runs\?search=berries-search-/.test(page.url()), 'the Runs page');
  const { searches: [{ name }] } = await server.call('GET', '/v1/searches');
  const board = page.getByRole('region', { name: `Search ${name}` });
  await board.getByText('succeeded').waitFor({ timeout: 90_000 });
  const search = await server.call('GET', `/v1/searches/${name}`);
  const rows = await board.getByRole('row').all();
  assert.equal(rows.length, 1 + 4);
  for (const [k, line] of search.leaderboard.entries()) {
    const text = await rows[k + 1].textContent();
    assert.ok(text.includes(line.network) && text.includes(String(line.values.network['/layers/0/units'])), text);
  }
  await page.getByRole('region', { name: 'Searches', exact: true }).getByRole('row', { name: new RegExp(name) }).getByText('4 / 4').waitFor();
  await board.getByRole('link', { name: 'Open the winner' }).click();
  await page.getByRole('heading', { name: search.winner }).waitFor();
  await page.goBack();
  await board.getByRole('button', { name: 'Forget it' }).click();
  await until(async () => (await server.call('GET', '/v1/searches')).searches.length === 0, 'forgotten');
  await board.waitFor({ state: 'detached' });
  await finish(page);
});

test('points are drawn, and training goes on with them', async () => {
  const page = await open_page();
  await page.goto(server.url);
  await page.getByRole('button', { name: 'Add points' }).click();
  const box = await page.locator('.plane svg').boundingBox();
  await page.mouse.click(box.x + box.width * 0.4, box.y + box.height * 0.3);
  const drawn = await until(async () => (await server.call('GET', '/v1/datasets')).datasets.find((one) => one.name.startsWith('drawn-')), 'kept as a data set');
  assert.equal(drawn.rows, 301);
  await until(async () => (await page.getByRole('combobox', { name: 'Data' }).inputValue()) === drawn.name, 'chosen');
  await finish(page);
});

test('every type that the page takes from the OpenAPI document is in the document of this program', async () => {
  const types = await readFile(new URL('../../web/src/api/types.ts', import.meta.url), 'utf8');
  const document = await server.call('GET', '/openapi.json');
  const names = [...types.matchAll(/Schemas\['(\w+)'\]/g)].map(([, name]) => name);
  assert.ok(names.length > 5);
  for (const name of names) assert.ok(document.components.schemas[name], `${name}: run \`npm run types\` in web/`);
});

test('the API page says in Chinese what each operation of this program does', async () => {
  const { paths } = await server.call('GET', '/openapi.json');
  const operations = Object.values(paths).flatMap((path) => Object.values(path).filter((one) => one.operationId));
  const page = await open_page({ language: 'zh' });
  await page.goto(`${server.url}/#/api`);
  const said = async () => [...(await page.locator('.summary').allTextContents()), ...(await page.locator('h2').allTextContents())];
  await until(async () => (await said()).length > operations.length, 'every operation is there');
  await until(async () => (await said()).every((text) => /\p{Script=Han}/u.test(text)), 'in Chinese');
  await finish(page);
});
