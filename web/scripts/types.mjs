// npm run types: writes src/api/schema.d.ts from the OpenAPI document of the program itself (MLPD_BINARY).
import { writeFile } from 'node:fs/promises';
import openapi, { astToString } from 'openapi-typescript';
import { Server } from '../../tests/browser/support.mjs';

const server = await Server.start();
try {
  const document = await server.call('GET', '/openapi.json');
  const text = astToString(await openapi(document));
  const head = '// Made by `npm run types` from /openapi.json; not to be edited.\n';
  await writeFile(new URL('../src/api/schema.d.ts', import.meta.url), head + text);
} finally {
  await server.stop();
}
