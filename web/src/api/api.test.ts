import { describe, expect, test, vi } from 'vitest';
import { script_of } from '../shell/script';
import { ApiError, get, get_blob, on_reachable } from './client';
import { curl_line } from './curl';
import { numbers_of, parameters_of } from './model';

describe('curl_line', () => {
  test.each([
    [{ method: 'GET', path: '/v1/networks' }, 'curl $H/v1/networks'],
    [{ method: 'POST', path: '/v1/networks', body: { name: 'a' } }, `curl $H/v1/networks -d '{"name":"a"}'`],
    [{ method: 'DELETE', path: '/v1/networks/a?force=true' }, 'curl -X DELETE "$H/v1/networks/a?force=true"'],
    [{ method: 'POST', path: '/v1/jobs/1/cancel' }, 'curl -X POST $H/v1/jobs/1/cancel'],
    [{ method: 'POST', path: '/v1/x', body: { text: "it's" } }, `curl $H/v1/x -d '{"text":"it'\\''s"}'`],
  ])('%o', (sent, line) => expect(curl_line(sent)).toBe(line));

  test('secrets never show', () => {
    const line = curl_line({
      method: 'POST',
      path: '/v1/x?api_key=abc&limit=1',
      body: { token: 'abc', user: 'u' },
      key: true,
    });
    expect(line).not.toContain('abc');
    expect(line).toContain('$MLPD_KEY');
    expect(line).toContain('"user":"u"');
  });
});

test('a server that dies in the middle of its answer is gone', async () => {
  vi.stubGlobal('fetch', async () => {
    const body = new ReadableStream({
      pull(stream) {
        stream.enqueue(new TextEncoder().encode('{"step":'));
        stream.error(new TypeError('network error'));
      },
    });
    return new Response(body, { status: 200 });
  });
  const told: boolean[] = [];
  const stop = on_reachable((reachable) => told.push(reachable));
  for (const ask of [() => get('/v1/networks/n'), () => get_blob('/metrics', {})]) {
    const fault: unknown = await ask().catch((error) => error);
    expect(fault).toBeInstanceOf(ApiError);
    expect(fault).toMatchObject({ status: 0 });
  }
  stop();
  expect(told).toEqual([true, false, true, false]);
  vi.unstubAllGlobals();
});

test('a request that waits for a replay is sent again once that has ended', async () => {
  const job = { id: 'r', network: 'n', kind: 'replay', state: 'queued' };
  const answers = [
    [202, job],
    [200, { ...job, state: 'running' }],
    [200, { ...job, state: 'succeeded' }],
    [200, { step: 6 }],
  ];
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (path: string) => {
    asked.push(path);
    const [status, body] = answers.shift() as [number, unknown];
    return new Response(JSON.stringify(body), { status });
  });
  expect(await get('/v1/networks/n/diagnosis', { step: 6 })).toEqual({ step: 6 });
  expect(asked.map((path) => path.replace('/v1/', ''))).toEqual([
    'networks/n/diagnosis?step=6',
    'jobs/r',
    'jobs/r',
    'networks/n/diagnosis?step=6',
  ]);
  vi.unstubAllGlobals();
});

test('a script trains to the end, without pace and job control', () => {
  const script = script_of(
    [
      { method: 'POST', path: '/v1/networks', body: { name: 'a' } },
      { method: 'POST', path: '/v1/networks/a/train', body: { steps: 7, pace: { steps_per_second: 1 } } },
      { method: 'POST', path: '/v1/jobs/9/pause' },
    ],
    'http://h',
  );
  expect(script).toContain(`curl -fsS $H/v1/networks/a/train -d '{"steps":7}' -H 'Prefer: wait=600'`);
  expect(script).not.toContain('pause');
});

describe('model document', () => {
  test('both forms of arrays', () => {
    expect([
      ...numbers_of([
        [1, 2],
        [3, 4],
      ]),
    ]).toEqual([1, 2, 3, 4]);
    const bytes = new Uint8Array(new Float32Array([1.5, -2]).buffer);
    const base64 = btoa(String.fromCharCode(...bytes));
    expect([...numbers_of({ dtype: 'float32', shape: [2], base64 })]).toEqual([1.5, -2]);
  });

  test('flat parameters fall into their layers', () => {
    const { bricks } = parameters_of({
      step: 1,
      spec: {
        inputs: 2,
        layers: [
          { type: 'dense', units: 1, activation: 'tanh' },
          { type: 'dropout' },
          { type: 'dense', units: 2, activation: 'softmax', bias: false },
        ],
      },
      parameters: [1, 2, 3, 4, 5],
    });
    expect(bricks.map((brick) => brick.kind)).toEqual(['dense', 'same', 'dense']);
    const [first, , last] = bricks;
    if (first.kind !== 'dense' || last.kind !== 'dense') throw new Error('not dense');
    expect([...first.weights, ...first.bias!]).toEqual([1, 2, 3]);
    expect([...last.weights]).toEqual([4, 5]);
    expect(last.bias).toBeNull();
  });
});
