// Runs the peer on one port of loopback and takes the tests' orders on another: POST /ORDER with JSON, answered with JSON.
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { configure, getStreamSink } from "@logtape/logtape";
import { orders } from "./orders.js";
import { federation, form, makeKeys, store } from "./peer.js";

await configure({
  sinks: { log: getStreamSink(new WritableStream({ write: (line) => void process.stderr.write(line) })) },
  loggers: [
    { category: "fedify", lowestLevel: "info", sinks: ["log"] },
    { category: ["logtape", "meta"], sinks: [] },
  ],
});

async function asRequest(incoming, origin) {
  const hasBody = !["GET", "HEAD"].includes(incoming.method);
  const body = hasBody ? Buffer.concat(await Array.fromAsync(incoming)) : undefined;
  return new Request(new URL(incoming.url, origin), { method: incoming.method, headers: incoming.headers, body });
}

function listen(handle) {
  const server = createServer(async (incoming, outgoing) => {
    let response;
    try {
      response = await handle(incoming);
    } catch (error) {
      console.error(error);
      response = Response.json({ broken: String(error) }, { status: 500 });
    }
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    Readable.from([Buffer.from(await response.arrayBuffer())]).pipe(outgoing);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

let origin = "";

const peer = await listen(async (incoming) => {
  const request = await asRequest(incoming, origin);
  const { method, headers } = request;
  if (method === "POST") remember(await request.clone().text());
  const response = await federation.fetch(request, { contextData: undefined });
  store.incoming.push({ method, path: incoming.url, form: form(headers), agent: headers.get("user-agent"), status: response.status });
  return response;
});

function remember(text) {
  try {
    const body = JSON.parse(text);
    store.bodies[body.id] = body;
  } catch {
    return; // no activity: the peer itself answers that
  }
}

const control = await listen(async (incoming) => {
  const asked = await (await asRequest(incoming, origin)).json();
  const context = federation.createContext(new URL(origin), undefined);
  return Response.json((await orders[incoming.url.slice(1)](context, asked)) ?? {});
});

await makeKeys();
origin = `http://127.0.0.1:${peer.address().port}`;
console.log(JSON.stringify({ url: origin, control: `http://127.0.0.1:${control.address().port}` }));
process.stdin.resume().on("end", () => process.exit(0)); // whoever started it holds the other end
