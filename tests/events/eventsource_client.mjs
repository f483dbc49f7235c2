// Follows a network with npm's eventsource, an event a line of JSON: node eventsource_client.mjs URL
import { EventSource } from 'eventsource';

const source = new EventSource(process.argv[2]);
for (const name of ['record', 'checkpoint', 'diagnosis', 'job', 'gap', 'closing'])
  source.addEventListener(name, ({ type, data, lastEventId }) =>
    console.log(JSON.stringify({ type, data: JSON.parse(data), lastEventId })));
setInterval(() => {}, 60_000); // between two connections nothing else keeps the process alive
source.addEventListener('open', () => console.log(JSON.stringify({ type: 'open' })));
