// What npm partysocket does on the wire and when it connects again: one test
// for each thing that a server must get right for it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { PartySocket, WebSocket as ReconnectingSocket } from "partysocket";
import WebSocket from "ws";
import { connect, project, servers } from "./lib.js";

// soon makes clients connect again without the seconds that they wait by default, and wait for a
// slow machine.
const soon = { minReconnectionDelay: 20, maxReconnectionDelay: 50, connectionTimeout: 30_000 };

// hello is what the server says that it sees, as the first message of the nth connection.
const hello = async (client, n = 1) => {
  const hellos = () => client.messages.filter((m) => typeof m === "string" && m.startsWith("{"));
  await client.until(() => hellos().length >= n);
  return JSON.parse(hellos()[n - 1]);
};

// state waits until what PartySocket.fetch sees in a room satisfies a condition.
const state = async (server, room, ok) => {
  for (const end = Date.now() + 30_000; ; ) {
    const seen = await (await PartySocket.fetch({ host: server.host, room })).json();
    if (ok(seen)) return seen;
    assert.ok(Date.now() < end, `after 30 s: ${JSON.stringify(seen)}`);
  }
};

for (const [name, serve] of Object.entries(servers)) {
  test(`the wire of partysocket against ${name}`, async (t) => {
    const app = await project(t, { fixture: "partysocket" });
    const server = await serve(t, app.dir);

    await t.test("the URL leads to the room that the options name", async (t) => {
      const seen = async (options) => hello(await connect(t, server, { id: "ada", ...options }));
      const { party, room, id, path, uri } = await seen({ room: "r" });
      assert.deepEqual([party, room, id, path, uri], ["probe", "r", "ada", "/parties/main/r", `ws://${server.host}/parties/main/r?_pk=ada`]);
      assert.equal((await seen({ room: "r", party: "second-party" })).party, "second-party");
      assert.equal((await seen({ room: "r", path: "sub/path" })).path, "/parties/main/r/sub/path");
      assert.equal((await seen({ room: undefined, basePath: "party/r/x" })).path, "/party/r/x");
      assert.equal((await seen({ room: "r", prefix: "parties" })).room, "r");
      assert.equal((await seen({ room: "r", host: `${server.url}/` })).room, "r", "a scheme and a slash are taken off");
      assert.match((await seen({ id: undefined, room: "r" })).id, /^[0-9a-f-]{36}$/, "a UUID of the client's own");
    });

    await t.test("names and queries arrive as they were written", async (t) => {
      const room = "a room, ü + 🎈 & 100%25";
      const query = { text: "a b+c&d=ü", list: ["a", "b:*"], none: null, missing: undefined, _pk: "second" };
      const seen = await hello(await connect(t, server, { room, query, id: "first" }));
      assert.equal(seen.room, "a room, ü + 🎈 & 100%");
      assert.deepEqual(seen.query, { _pk: ["first", "second"], text: ["a b+c&d=ü"], list: ["a,b:*"] });
      assert.equal(seen.id, "first", "of two ids the first counts");
      const same = await (await PartySocket.fetch({ host: server.host, room, path: "sub", query })).json();
      assert.equal(same.room, seen.room);
      assert.deepEqual(same.ids, ["first"], "fetch and socket are in one room");
    });

    await t.test("PartySocket.fetch sends any method, without an id", async () => {
      const post = { method: "POST", body: JSON.stringify({ a: "ü" }), headers: { "Content-Type": "application/json" } };
      const seen = await (await PartySocket.fetch({ host: server.host, room: "f g", party: "second-party", path: "x", query: { q: "1" } }, post)).json();
      assert.deepEqual(seen, { method: "POST", url: "/parties/second-party/f%20g/x?q=1", room: "f g", body: '{"a":"ü"}', ids: [] });
    });

    await t.test("protocols are acknowledged", async (t) => {
      const client = await connect(t, server, { room: "p", protocols: ["chat.v2", "chat.v1"] });
      assert.equal(client.socket.protocol, "chat.v2");
      const plain = await connect(t, server, { room: "p" });
      assert.equal(plain.socket.protocol, "");
      assert.equal(plain.socket.extensions, "", "compression is declined");
    });

    await t.test("text and binary stay what they are", async (t) => {
      const client = await connect(t, server, { room: "frames", query: { quiet: 1 } });
      client.socket.binaryType = "arraybuffer";
      client.socket.send("text ü");
      client.socket.send(new Uint8Array([0, 255, 128]));
      client.socket.send("");
      await client.until((m) => m.length === 3);
      assert.equal(client.messages[0], "text ü");
      assert.deepEqual([...new Uint8Array(client.messages[1])], [0, 255, 128]);
      assert.equal(client.messages[2], "");
    });

    await t.test("what waits for the connection is delivered first and in order", async (t) => {
      const socket = new PartySocket({ host: server.host, room: "queued", query: { quiet: 1 }, WebSocket });
      t.after(() => socket.close());
      const got = [];
      const all = new Promise((resolve) => socket.addEventListener("message", (e) => got.push(e.data) === 101 && resolve()));
      socket.addEventListener("open", () => socket.send("last"));
      for (let n = 0; n < 100; n++) assert.equal(socket.send(`m${n}`), false, "it is queued");
      await all;
      assert.deepEqual(got, [...Array.from({ length: 100 }, (_, n) => `m${n}`), "last"]);
    });

    await t.test("a server has nothing to say by itself", async (t) => {
      const client = await connect(t, server, { room: "silent", query: { quiet: 1 } });
      client.socket.send("marker");
      await client.until((m) => m.length > 0);
      assert.deepEqual(client.messages, ["marker"]);
    });

    await t.test("it connects again after any close, with the same id and a fresh query", async (t) => {
      let calls = 0;
      const client = await connect(t, server, { room: "again", query: async () => ({ n: ++calls }), ...soon });
      const first = await hello(client);
      client.socket.send("close 1000 bye");
      const second = await hello(client, 2);
      client.socket.send("close 4321 gone");
      const third = await hello(client, 3);
      assert.deepEqual([first, second, third].map((h) => h.query.n[0]), ["1", "2", "3"]);
      assert.deepEqual(new Set([first.id, second.id, third.id, client.socket.id]).size, 1);
      assert.deepEqual(client.closes, [1000, 4321]);
      await state(server, "again", (s) => s.ids.length === 1);
    });

    await t.test("a refused handshake is tried again with fresh parameters", async (t) => {
      let tries = 0;
      const client = await connect(t, server, { room: "tokens", query: () => ({ token: ++tries < 3 ? `stale${tries}` : "fresh" }), ...soon });
      assert.equal((await hello(client)).query.token[0], "fresh");
      assert.equal(tries, 3);
    });

    await t.test("a code of one's own ends it for good", async (t) => {
      const shouldReconnectOnClose = (e) => e.code !== 4003;
      const client = await connect(t, server, { room: "banned", shouldReconnectOnClose, ...soon });
      await hello(client);
      const closed = once(client.socket, "close");
      client.socket.send("close 4003 banned");
      const [event] = await closed;
      assert.deepEqual([event.code, event.reason, client.socket.shouldReconnect], [4003, "banned", false]);
      await state(server, "banned", (s) => s.ids.length === 0);
      assert.equal(client.opens, 1);
    });

    await t.test("a client that waits too long leaves nothing behind", async (t) => {
      const client = await connect(t, server, { room: "slow", id: "patient", query: { slow: 1 }, ...soon, connectionTimeout: 500 });
      await hello(client);
      assert.ok(client.socket.retryCount >= 1, "the first attempt had no answer");
      const { ids } = await state(server, "slow", (s) => s.ids.length <= 1);
      assert.deepEqual(ids, ["patient"]);
    });

    await t.test("reconnect and updateProperties", async (t) => {
      const client = await connect(t, server, { room: "here", id: "ada", ...soon });
      await hello(client);
      client.socket.reconnect();
      assert.equal((await hello(client, 2)).room, "here");
      client.socket.updateProperties({ room: "there", query: { from: "here" } });
      client.socket.reconnect();
      const { room, id, query } = await hello(client, 3);
      assert.deepEqual([room, id, query.from], ["there", "ada", ["here"]]);
      await state(server, "here", (s) => s.ids.length === 0);
      await state(server, "there", (s) => s.ids.length === 1);
    });

    await t.test("closing is final, and the room knows at once", async (t) => {
      const client = await connect(t, server, { room: "left", ...soon });
      client.socket.close(4100, "enough");
      assert.equal(client.socket.readyState, client.socket.CLOSED);
      await state(server, "left", (s) => s.ids.length === 0);
      assert.equal(client.opens, 1);
    });

    await t.test("the socket without rooms, by URL", async (t) => {
      const url = async () => `ws://${server.host}/parties/main/raw?_pk=raw`;
      const socket = new ReconnectingSocket(url, async () => ["v1"], { WebSocket, ...soon });
      t.after(() => socket.close());
      const [message] = await once(socket, "message");
      assert.deepEqual([JSON.parse(message.data).id, socket.protocol], ["raw", "v1"]);
    });
  });
}
