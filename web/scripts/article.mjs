// npm run article: writes src/glass/article_trace.json, the trace of the article's step as the program itself gives it
// (MLPD_BINARY), so that the page shows it without making a network on anybody's server.
import { writeFile } from 'node:fs/promises';
import { article, Server } from '../../tests/browser/support.mjs';

const server = await Server.start();
try {
  await server.call('POST', '/v1/networks', { name: 'article-step', ...article.spec });
  const trace = await server.call('POST', '/v1/networks/article-step/trace', { data: article.rows });
  await writeFile(
    new URL('../src/glass/article_trace.json', import.meta.url),
    `${JSON.stringify(trace, null, 2)}\n`,
  );
} finally {
  await server.stop();
}
