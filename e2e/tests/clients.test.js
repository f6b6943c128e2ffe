// npm partysocket against both ways to run a project.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PartySocket } from "partysocket";
import { connect, project, servers } from "./lib.js";

for (const [name, serve] of Object.entries(servers)) {
  test(`partysocket against ${name}`, async (t) => {
    const app = await project(t, { fixture: "echo" });
    const server = await serve(t, app.dir, "--var", "GREETING=hello");

    await t.test("connects with its own id and gets broadcasts but its own", async (t) => {
      const a = await connect(t, server, { party: "plain", id: "ada", query: { from: "test" } });
      const b = await connect(t, server, { party: "plain", id: "bob" });
      await a.until((m) => m.length === 1);
      assert.equal(a.messages[0], "v1 connect resumed=false started=true from=test");
      await b.until((m) => m.length === 1);
      a.socket.send("from ada");
      await b.until((m) => m.length === 2);
      b.socket.send("from bob");
      await a.until((m) => m.length === 2);
      assert.deepEqual(b.messages.slice(1), ["from ada"]);
      assert.deepEqual(a.messages.slice(1), ["from bob"], "the sender is left out");
    });

    await t.test("PartySocket.fetch reaches the room that sockets are in", async (t) => {
      const c = await connect(t, server, { room: "a room/with ü".replace("/", "-") });
      c.socket.send("x");
      await c.until((m) => m.length === 1);
      const res = await PartySocket.fetch({ host: server.host, room: "a room-with ü", query: { do: "broadcast", text: "pushed" } });
      assert.equal(res.status, 200);
      assert.equal(await res.text(), "v1 hello 1");
      await c.until((m) => m.includes("pushed"));
    });

    await t.test("close with a code completes the handshake", async (t) => {
      const c = await connect(t, server, { room: "closing" });
      const closed = new Promise((resolve) => c.socket._ws.addEventListener("close", resolve));
      c.socket.close(4001, "done");
      const e = await closed;
      assert.deepEqual([e.code, e.reason, e.wasClean], [4001, "done", true]);
    });

    await t.test("state is kept over a restart of the whole server", async (t) => {
      const c = await connect(t, server, { room: "kept" });
      for (let n = 0; n < 5; n++) c.socket.send(`m${n}`);
      await c.until((m) => m.length === 5);
      c.socket.close();
      const exit = await server.stop("SIGTERM");
      assert.deepEqual(exit, { code: 0, signal: null }, server.output);
      const again = await serve(t, app.dir);
      const res = await PartySocket.fetch({ host: again.host, room: "kept" });
      assert.equal(await res.text(), "v1  5");
    });
  });
}
