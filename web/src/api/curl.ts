/** A request as it was sent, for showing. */
export interface Sent {
  method: string;
  path: string;
  body?: unknown;
  content_type?: string;
  key?: boolean;
}

const kSecret = /("(?:[a-z_]*(?:secret|token|password|api_key|bearer)[a-z_]*)"\s*:\s*)"[^"]*"/gi;
const kSecretQuery = /([?&](?:[a-z_]*(?:secret|token|password|api_key|key)[a-z_]*)=)[^&]*/gi;

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const plain = (text: string) => /^[\w./:=,$@%+-]+$/.test(text);

export const redacted = (text: string) => text.replace(kSecret, '$1"…"');

/** The curl line that does the same; `$H` is the server's address, and keys are never shown. */
export function curl_line(sent: Sent): string {
  const path = sent.path.replace(kSecretQuery, '$1…');
  const words = ['curl'];
  const implied = sent.body === undefined ? 'GET' : 'POST';
  if (sent.method !== implied) words.push('-X', sent.method);
  words.push(plain(path) ? `$H${path}` : `"$H${path.replaceAll('$', '\\$')}"`);
  if (sent.key) words.push('-H', '"Authorization: Bearer $MLPD_KEY"');
  if (sent.content_type) words.push('-H', quoted(`Content-Type: ${sent.content_type}`));
  if (sent.body !== undefined) {
    const body = typeof sent.body === 'string' ? sent.body : JSON.stringify(sent.body);
    words.push(sent.content_type ? '--data-binary' : '-d', quoted(redacted(body)));
  }
  return words.join(' ');
}
