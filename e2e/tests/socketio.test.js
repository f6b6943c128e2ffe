// npm socket.io-client, unmodified, against the test application: each
// transport, binary, acks, namespaces, reconnection and recovery.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, after, test } from "node:test";
import { promisify } from "node:util";
import { io } from "socket.io-client";
import { checkout } from "./lib.js";

let dir, bin;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), "party-socketio-"));
  bin = join(dir, "testapp");
  await promisify(execFile)("go", ["build", "-o", bin, "./runtime/socketio/testapp"], { cwd: checkout });
});
after(() => rm(dir, { recursive: true, force: true }));

// serve runs a profile of the test application and returns its URL.
async function serve(t, profile) {
  const child = spawn(bin, ["--addr", "127.0.0.1:0", "--profile", profile], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  for await (const data of child.stdout) {
    const m = String(data).match(/^ready on (\S+),/);
    if (m) return m[1];
  }
  throw new Error("the test application has ended");
}

function client(t, url, options) {
  const socket = io(url, { forceNew: true, ...options });
  t.after(() => {
    socket.io.reconnection(false); // sockets of other namespaces would keep the connection
    socket.close();
    socket.io.engine?.close();
  });
  return socket;
}

const event = async (socket, name) => (await once(socket, name, { signal: AbortSignal.timeout(10_000) }));

const transports = { default: undefined, polling: ["polling"], websocket: ["websocket"] };

for (const [name, list] of Object.entries(transports)) {
  test(`socket.io-client, ${name} transports`, async (t) => {
    const url = await serve(t, "client");
    const socket = client(t, url, { transports: list });
    await event(socket, "connect");

    await t.test("the transport is the one that was asked for", async () => {
      if (name === "default" && socket.io.engine.transport.name !== "websocket") await event(socket.io.engine, "upgrade");
      assert.equal(socket.io.engine.transport.name, name === "polling" ? "polling" : "websocket");
    });

    await t.test("acks, any value, in order", async () => {
      for (const v of [null, 1, "ü€𝄞", { a: [true, { b: null }] }]) {
        assert.deepEqual(await socket.timeout(5000).emitWithAck("echo", v), v);
      }
      const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => socket.emitWithAck("echo", n)));
      assert.deepEqual(answers, Array.from({ length: 200 }, (_, n) => n));
    });

    await t.test("binary both ways", async () => {
      const data = Buffer.from([0, 1, 2, 255]);
      assert.deepEqual(Buffer.from(await socket.emitWithAck("echo", data)), data);
      const nested = await socket.emitWithAck("echo", { a: [data, { b: data }] });
      assert.deepEqual(Buffer.from(nested.a[1].b), data);
      socket.emit("doge");
      assert.equal(Buffer.from((await event(socket, "doge"))[0]).toString(), "asdfasdf");
      const big = Buffer.alloc(900_000, 7); // base64 makes it too large for one POST
      if (name === "websocket") assert.equal((await socket.emitWithAck("echo", big)).length, big.length);
    });

    await t.test("namespaces share the connection", async () => {
      const foo = socket.io.socket("/foo");
      await event(foo, "connect");
      assert.notEqual(foo.id, socket.id);
      assert.equal(await foo.emitWithAck("getId"), foo.id);
      const no = socket.io.socket("/no");
      assert.equal((await event(no, "connect_error"))[0].message, "Auth failed (custom namespace)");
      const bar = socket.io.socket("/bar");
      assert.equal((await event(bar, "connect_error"))[0].message, "Invalid namespace");
      foo.disconnect();
      foo.connect();
      await event(foo, "connect");
      assert.equal(await socket.emitWithAck("echo", "still"), "still");
    });

    await t.test("reconnection after the connection is cut", async () => {
      const before = socket.id;
      // Without an offset there is nothing to recover from: a new session.
      socket.io.engine.close();
      await event(socket, "connect");
      assert.ok(socket.recovered || socket.id !== before);
      assert.equal(await socket.emitWithAck("echo", "back"), "back");
    });

    await t.test("connection state recovery", async () => {
      socket.emit("hi");
      await event(socket, "hi");
      const id = socket.id;
      socket.io.engine.close();
      await event(socket, "connect");
      assert.equal(socket.recovered, true);
      assert.equal(socket.id, id);
    });
  });
}

test("each room has its own io", async (t) => {
  const url = await serve(t, "room");
  const dial = async (room) => {
    const socket = client(t, url, { path: `/parties/game/${room}/socket.io/` });
    await event(socket, "connect");
    return socket;
  };
  const [a, b, other] = await Promise.all([dial("a"), dial("a"), dial("b")]);
  other.onAny((name) => assert.notEqual(name, "fan", "another room's event"));
  const got = event(b, "fan");
  a.emit("fan", 1, Buffer.from("x"));
  const [number, binary] = await got;
  assert.equal(number, 1);
  assert.equal(Buffer.from(binary).toString(), "x");
  assert.equal(await other.emitWithAck("echo", "here"), "here");
});

test("five hundred events each way over an upgrade, once and in order", async (t) => {
  const url = await serve(t, "load");
  for (let round = 0; round < 5; round++) {
    const socket = client(t, url, {});
    const answers = [];
    for (let n = 0; n < 500; n++) socket.emit("echo", n, (m) => answers.push(m));
    await event(socket, "connect");
    while (answers.length < 500) await socket.emitWithAck("echo", "barrier");
    assert.deepEqual(answers, Array.from({ length: 500 }, (_, n) => n));
    socket.close();
  }
});
