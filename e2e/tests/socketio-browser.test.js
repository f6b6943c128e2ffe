// The page of the template socketio-chat, and npm socket.io-client's browser
// bundle, in headless Chromium.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { browser } from "./chromium.js";
import { artifacts, built, project } from "./lib.js";

const bundle = join(dirname(createRequire(import.meta.url).resolve("socket.io-client/package.json")), "dist", "socket.io.min.js");

async function open(t, b, url, name) {
  const context = await b.newContext();
  await context.addInitScript((n) => { try { localStorage.setItem("name", n); } catch {} }, name);
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (e) => page.problems.push(String(e)));
  await page.goto(url);
  await page.locator("#status[data-state=open]").waitFor();
  return page;
}

test("the page, and socket.io-client in Chromium", async (t) => {
  const app = await project(t, { template: "socketio-chat" });
  const server = await built(t, app.dir);
  const b = await browser(t);
  const ada = await open(t, b, server.url, "Ada");
  const bob = await open(t, b, server.url, "Bob");
  await ada.locator("#people", { hasText: "Bob" }).waitFor();
  await ada.locator("#text").pressSequentially("hello");
  await bob.locator("#people", { hasText: "Ada …" }).waitFor();
  await ada.locator("#say button").click();
  await bob.locator("#lines", { hasText: "hello" }).waitFor();
  await ada.locator("#lines .mine", { hasText: "hello" }).waitFor();
  await ada.screenshot({ path: join(artifacts, "socketio-chat.png") });

  await bob.addScriptTag({ path: bundle });
  for (const transports of [undefined, ["polling"], ["websocket"]]) {
    const got = await bob.evaluate(async (transports) => {
      const socket = io({ forceNew: true, transports });
      const people = await socket.timeout(10_000).emitWithAck("enter", "Eve");
      const said = new Promise((resolve) => socket.on("said", resolve));
      if (!transports && socket.io.engine.transport.name !== "websocket") {
        await new Promise((resolve) => socket.io.engine.once("upgrade", resolve));
      }
      socket.emit("say", "by the official client");
      const line = await said;
      const transport = socket.io.engine.transport.name;
      socket.close();
      return { people: people.length, text: line.text, transport };
    }, transports);
    assert.deepEqual(got, { people: 3, text: "by the official client", transport: transports?.[0] ?? "websocket" });
    await ada.locator("#people", { hasText: "Eve" }).waitFor({ state: "detached" });
  }
  assert.deepEqual([...ada.problems, ...bob.problems], []);
});
