import type { NetworkSpec, Numbers, Trace } from '../api/types';
import article from './article.json';
import recorded from './article_trace.json';

/** The worked training step of the article: a 2-3-2 sigmoid network without biases, and one row. */
export const kArticleName = 'article-step';
export const article_spec: NetworkSpec = article.spec as NetworkSpec;
export const article_rows: { inputs: Numbers; targets: Numbers } = article.rows;
/** What training itself says of it (`npm run article`; a test holds it against the program). */
export const article_trace = recorded as unknown as Trace;
