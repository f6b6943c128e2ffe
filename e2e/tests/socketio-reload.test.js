// npm socket.io-client against a project with //party:socketio, run both ways;
// and what a save costs its sockets: nothing.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { io } from "socket.io-client";
import { dev, project, servers } from "./lib.js";

async function enter(t, server, name, transports) {
  const socket = io(server.url, { forceNew: true, transports });
  const client = { socket, said: [], closes: [] };
  t.after(() => {
    socket.io.reconnection(false);
    socket.close();
    socket.io.engine?.close();
  });
  socket.on("said", (line) => client.said.push(line.text));
  socket.on("disconnect", (reason) => client.closes.push(reason));
  await once(socket, "connect", { signal: AbortSignal.timeout(10_000) });
  client.people = await socket.emitWithAck("enter", name);
  return client;
}

async function until(ok, ms = 30_000) {
  for (const end = Date.now() + ms; !ok(); await new Promise((r) => setTimeout(r, 5))) {
    if (Date.now() > end) throw new Error(`not so after ${ms} ms: ${ok}`);
  }
}

for (const [name, serve] of Object.entries(servers)) {
  test(`the template socketio-chat under ${name}`, async (t) => {
    const app = await project(t, { template: "socketio-chat" });
    const server = await serve(t, app.dir);
    const ada = await enter(t, server, "Ada");
    const bob = await enter(t, server, "Bob", ["polling"]);
    const eve = await enter(t, server, "Eve", ["websocket"]);
    assert.deepEqual(eve.people.map((p) => p.name).sort(), ["Ada", "Bob", "Eve"]);
    const all = [ada, bob, eve];
    for (const c of all) c.socket.emit("say", "hello");
    await until(() => all.every((c) => c.said.length === 3));
    const left = once(ada.socket, "left");
    eve.socket.close();
    assert.equal((await left)[0].name, "Eve");
    const page = await fetch(server.url);
    assert.match(await page.text(), /socketio|<title>app/);
  });
}

test("reload under traffic keeps every Socket.IO connection and every event", async (t) => {
  const app = await project(t, { template: "socketio-chat" });
  const server = await dev(t, app.dir);
  const clients = await Promise.all([
    enter(t, server, "default"), enter(t, server, "polling", ["polling"]), enter(t, server, "websocket", ["websocket"]),
  ]);
  const ids = clients.map((c) => c.socket.id);
  let sending = true;
  let sent = 0;
  const traffic = (async () => {
    for (; sending; sent++) {
      for (const c of clients) c.socket.emit("say", `${c.socket.id} ${sent}`);
      await new Promise((r) => setTimeout(r, 3));
    }
  })();
  for (let version = 1; version <= 3; version++) {
    const mark = server.output.length;
    await app.edit("server.go", version === 1 ? `"somebody"` : `"somebody v${version - 1}"`, `"somebody v${version}"`);
    await server.until(/reloaded in/, mark);
  }
  assert.deepEqual((await clients[1].socket.emitWithAck("enter", "")).map((p) => p.name).sort(), ["default", "somebody v3", "websocket"]);
  sending = false;
  await traffic;
  await until(() => clients.every((c) => c.said.length >= sent * clients.length));
  for (const c of clients) {
    assert.deepEqual(c.closes, [], "no disconnect");
    for (const id of ids) {
      const got = c.said.filter((line) => line.startsWith(id)).map((line) => line.split(" ")[1]);
      assert.deepEqual(got, Array.from({ length: sent }, (_, n) => String(n)), "every event once and in order");
    }
  }
  assert.deepEqual(clients.map((c) => c.socket.id), ids);
});
