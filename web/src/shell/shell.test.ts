import { expect, test } from 'vitest';
import { snippets } from '../models/snippets';
import { code_parts } from './code_parts';

test('code goes on in the next line after commas and spaces, never in a word, a quoted text or a flag with its value', () => {
  const line = `  curl -X PUT "$H/v1/networks/a?x=1" -H 'Content-Type: text/csv' --data-binary '{"name":"a-b c","rows":[[1,-2]]}' \\`;
  expect(code_parts(line)).toEqual([
    '  ',
    'curl ',
    '-X PUT ',
    '"$H/v1/networks/a?x=1" ',
    "-H 'Content-Type: text/csv' ",
    `--data-binary '{"name":"a-b c",`,
    '"rows":[[1,',
    "-2]]}' \\",
  ]);
});

test('a long part is cut before each piece of an address, and after brackets', () => {
  expect(code_parts(`'http://127.0.0.1:8080/v1/networks/iris/predict?version=2'`)).toEqual([
    `'http://127.0.0.1:8080`,
    '/v1',
    '/networks',
    '/iris',
    '/predict',
    `?version=2'`,
  ]);
  expect(code_parts('data=json.dumps({"rows":[{"sepal_length":1')).toEqual([
    'data=json.dumps({',
    '"rows":[{',
    '"sepal_length":1',
  ]);
});

test('every snippet is whole again when its parts are joined', () => {
  const body = { rows: [{ colour: 'light, grey', size: -1.5, old: null }] };
  for (const { name, text } of snippets('http://h:1/v1/networks/n/predict?version=2', body))
    for (const line of text.split('\n')) expect(code_parts(line).join(''), name).toBe(line);
});
