import { expect, test } from 'vitest';
import { EventParser } from './event_parser';

const text =
  ': hello\n\nid: 1\nevent: record\ndata: {"step":1}\n\nid: 2\ndata: a\ndata: b\n\nevent: ping\n\n';
const events = [
  { id: '1', event: 'record', data: '{"step":1}' },
  { id: '2', event: 'message', data: 'a\nb' },
];

test.each([1, 2, 3, 7, 1000])('the same events in pieces of %i', (size) => {
  const parser = new EventParser();
  const found = [];
  for (let i = 0; i < text.length; i += size) found.push(...parser.push(text.slice(i, i + size)));
  expect(found).toEqual(events);
});

test('CR LF', () => {
  expect(new EventParser().push('event: job\r\ndata: 1\r\n\r\n')).toEqual([
    { id: null, event: 'job', data: '1' },
  ]);
});
