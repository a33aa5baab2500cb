// Follows an event stream in another language than the service: fetch() of Node, and the reconnecting of
// the standard (HTML, 9.2). Prints one line of JSON per event: {event, id, data}.
//   node follow_events.mjs <url>
const url = process.argv[2];
let lastEventId = '';
let retry = 3000;

function show(fields) {
  if (fields.data === undefined) return;
  process.stdout.write(JSON.stringify({event: fields.event, id: fields.id, data: JSON.parse(fields.data)}) + '\n');
}

function take(line, fields) {
  if (line === '') {
    if (fields.id !== undefined) lastEventId = fields.id;
    show(fields);
    return {};
  }
  const colon = line.indexOf(':');
  if (colon === 0) return fields;
  const name = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
  if (name === 'retry') retry = Number(value);
  else fields[name] = value;
  return fields;
}

async function follow() {
  const headers = lastEventId ? {'Last-Event-ID': lastEventId} : {};
  const answer = await fetch(url, {headers});
  if (answer.status !== 200) throw new Error(`status ${answer.status}`);
  process.stderr.write('open\n');
  let rest = '';
  let fields = {};
  for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop();
    for (const line of lines) fields = take(line, fields);
  }
}

for (;;) {
  try {
    await follow();
  } catch (error) {
    process.stderr.write(`lost: ${error.message}\n`);
  }
  await new Promise((resolve) => setTimeout(resolve, retry));
}
