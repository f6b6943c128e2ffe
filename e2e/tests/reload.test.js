// What a save, a build error and a crash cost a client: nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PartySocket } from "partysocket";
import { connect, dev, hostOf, project } from "./lib.js";

test("reload under traffic keeps every socket and every message", async (t) => {
  const app = await project(t, { fixture: "echo" });
  const server = await dev(t, app.dir);
  const clients = await Promise.all(
    Array.from({ length: 8 }, (_, n) => connect(t, server, { room: `traffic-${n % 3}`, id: `c${n}` })),
  );
  const plain = await connect(t, server, { party: "plain", room: "p", query: { from: "before" } });

  let sending = true;
  let sent = 0;
  const traffic = (async () => {
    for (; sending; sent++) {
      for (const c of clients) c.socket.send(`m${sent}`);
      await new Promise((r) => setTimeout(r, 2));
    }
  })();
  for (const version of ["v2", "v3", "v4"]) {
    const seen = clients.map((c) => c.messages.length);
    await app.edit("server.go", `const version = "v${version[1] - 1}"`, `const version = "${version}"`);
    await Promise.all(clients.map((c, n) => c.until((m) => m.slice(seen[n]).some((x) => x.startsWith(version)))));
  }
  sending = false;
  await traffic;
  await Promise.all(clients.map((c) => c.until((m) => m.length >= sent)));

  for (const c of clients) {
    assert.deepEqual(c.closes, [], "no close event");
    assert.equal(c.opens, 1);
    const bare = c.messages.map((m) => m.slice(3));
    const want = Array.from({ length: sent }, (_, n) => `m${n} #${n}`);
    assert.deepEqual(bare, want, "every message is answered once, in order, and state went along");
    const versions = c.messages.map((m) => Number(m[1]));
    assert.deepEqual(versions, [...versions].sort(), "no old code after new code");
  }
  await plain.until((m) => m.length === 4);
  assert.deepEqual(plain.messages, [
    "v1 connect resumed=false started=true from=before",
    "v2 connect resumed=true started=true from=before",
    "v3 connect resumed=true started=true from=before",
    "v4 connect resumed=true started=true from=before",
  ]);
  assert.deepEqual(plain.closes, []);
});

test("alarms survive a reload", async (t) => {
  const app = await project(t, { fixture: "echo" });
  const server = await dev(t, app.dir);
  const c = await connect(t, server, { room: "alarmed" });
  await PartySocket.fetch({ host: server.host, room: "alarmed", query: { do: "alarm" } });
  const mark = server.output.length;
  await app.edit("server.go", `"v1"`, `"v2"`);
  await server.until(/reloaded in/, mark);
  await c.until((m) => m.length === 1);
  assert.deepEqual(c.messages, ["alarm in alarmed by v2"]);
});

test("a build error leaves the old code serving and shows a diagnostic", async (t) => {
  const app = await project(t, { fixture: "echo" });
  const server = await dev(t, app.dir);
  const c = await connect(t, server);
  c.socket.send("a");
  await c.until((m) => m.length === 1);

  const before = server.output.length;
  await app.edit("server.go", "n, err := party.StateOf[int](conn)", "n, err := party.StateOf[int](con)");
  await server.until(/server\.go:\d+:\d+: error: undefined: con\b[^]*\^/, before);
  c.socket.send("b");
  await c.until((m) => m.length === 2);
  assert.equal(c.messages[1], "v1 b #1");
  const status = await (await fetch(`${server.url}/_party/status`)).json();
  assert.match(JSON.stringify(status), /undefined: con/);

  await app.edit("server.go", "party.StateOf[int](con)", "party.StateOf[int](conn)");
  await app.edit("server.go", `"v1"`, `"v2"`);
  const deadline = Date.now() + 30_000;
  let n = 2;
  for (; !c.messages.at(-1).startsWith("v2"); n++) {
    assert.ok(Date.now() < deadline, "the fix arrives");
    c.socket.send("c");
    await c.until((m) => m.length === n + 1);
  }
  assert.deepEqual(c.closes, []);
});

for (const [how, crash] of Object.entries({
  "os.Exit": (server) => PartySocket.fetch({ host: server.host, room: "victim", query: { do: "exit" } }),
  "a panic outside a callback": (server) => PartySocket.fetch({ host: server.host, room: "victim", query: { do: "panic" } }),
  SIGKILL: async (server) => {
    process.kill(await hostOf(server), "SIGKILL");
  },
})) {
  test(`after ${how} sockets stay, requests wait, the code comes back`, async (t) => {
    const app = await project(t, { fixture: "echo" });
    const server = await dev(t, app.dir);
    const c = await connect(t, server);
    c.socket.send("before");
    await c.until((m) => m.length === 1);
    const mark = server.output.length;
    const res = await crash(server);
    if (res) assert.equal(res.status, 500, "an event that kills its host twice is answered");
    const answer = await PartySocket.fetch({ host: server.host, room: "lobby" });
    assert.equal(answer.status, 200);
    c.socket.send("after");
    await c.until((m) => m.length === 2);
    assert.deepEqual(c.messages, ["v1 before #0", "v1 after #1"]);
    assert.deepEqual(c.closes, []);
    const reason = { "os.Exit": /exit(ed)?[^\n]*3/i, "a panic outside a callback": /boom outside a callback/, SIGKILL: /killed/i }[how];
    await server.until(reason, mark);
  });
}
