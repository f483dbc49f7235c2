import { curl_line, type Sent } from '../api/curl';

/**
 * A shell script that does a session's actions again, one after the other: training waits for its end, and pausing or
 * resuming (which changes no number) is left out, since a job stopped early stands there with the steps that it did.
 */
export function script_of(actions: Sent[], origin: string): string {
  const lines = actions
    .filter((sent) => !/^\/v1\/jobs\//.test(sent.path))
    .map((sent) => {
      if (!sent.path.endsWith('/train')) return curl_line(sent);
      const { pace: _, ...body } = sent.body as Record<string, unknown>;
      return `${curl_line({ ...sent, body })} -H 'Prefer: wait=600'`;
    })
    .map((line) => line.replace(/^curl /, 'curl -fsS '));
  return `#!/bin/sh\n# Made by the dashboard of mlpd.\nset -e\nH=\${H:-${origin}}\n${lines.join('\n')}\n`;
}
