// A page written with partysocket/react, bundled by party, in headless Chromium: on the
// server's own origin and on others.
import assert from "node:assert/strict";
import { readFile, symlink } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { browser } from "./chromium.js";
import { built, checkout, project, servers } from "./lib.js";

// react is a project with the page in it, and with these packages.
async function react(t) {
  const app = await project(t, { fixture: "react" });
  await symlink(join(checkout, "e2e", "node_modules"), join(app.dir, "node_modules"));
  return app;
}

async function open(b, url) {
  const page = await (await b.newContext()).newPage();
  page.problems = [];
  page.on("pageerror", (e) => page.problems.push(String(e)));
  await page.goto(url);
  return page;
}

const shows = (page, id, text) => page.locator(`#${id}`, { hasText: new RegExp(`^${text}$`) }).waitFor();

for (const [name, serve] of Object.entries(servers)) {
  test(`usePartySocket in a page from ${name}`, async (t) => {
    const app = await react(t);
    const server = await serve(t, app.dir);
    const b = await browser(t);
    const ada = await open(b, server.url);
    await shows(ada, "here", 1); // though StrictMode connects twice
    const bob = await open(b, server.url);
    await shows(ada, "here", 2);
    await ada.locator("#add").click();
    await bob.locator("#add").click();
    await shows(ada, "count", 2);
    await shows(bob, "count", 2);
    await bob.locator("#post").click();
    await shows(bob, "posted", "200 3");
    await shows(ada, "count", 3);

    await bob.locator("#other").click();
    await shows(ada, "here", 1);
    await shows(bob, "count", 0);
    await bob.locator("#enabled").uncheck();
    await shows(bob, "state", "closed");
    await bob.locator("#enabled").check();
    await shows(bob, "state", "open");
    await shows(bob, "here", 1);
    await bob.close();
    await ada.close();
    assert.deepEqual([...ada.problems, ...bob.problems], []);
  });
}

// elsewhere serves the bundled page from a port, which is an origin, of its own.
async function elsewhere(t, app) {
  const files = { "/": ["public/index.html", "text/html"], "/dist/main.js": ["public/dist/main.js", "text/javascript"] };
  const s = createServer(async (req, res) => {
    const [file, type] = files[new URL(req.url, "http://x").pathname] ?? [];
    if (!file) return res.writeHead(404).end();
    res.writeHead(200, { "Content-Type": type }).end(await readFile(join(app.dir, file)));
  });
  await new Promise((resolve) => s.listen(0, "127.0.0.1", resolve));
  t.after(() => new Promise((resolve) => s.close(resolve) && s.closeAllConnections()));
  return `http://127.0.0.1:${s.address().port}`;
}

test("pages of other origins use sockets and requests, and cookies where they are listed", async (t) => {
  const app = await react(t);
  const [listed, unlisted] = [await elsewhere(t, app), await elsewhere(t, app)];
  await app.edit("party.json", '"origins": []', `"origins": ["${listed}"]`);
  const server = await built(t, app.dir);
  const b = await browser(t);
  const page = await open(b, `${unlisted}/?host=${server.host}`);
  await shows(page, "here", 1);
  await page.locator("#post").click(); // with a preflight
  await shows(page, "posted", "200 1");
  await shows(page, "count", 1);

  // Cookies know no ports, so this one goes to the server too.
  const connects = () =>
    page.evaluate(
      (url) =>
        new Promise((resolve) => {
          const ws = new WebSocket(url);
          ws.onopen = () => resolve("open");
          ws.onerror = () => resolve("refused");
        }),
      `ws://${server.host}/party/cookies`,
    );
  await page.evaluate(() => (document.cookie = "session=secret"));
  assert.equal(await connects(), "refused");
  await page.goto(`${listed}/?host=${server.host}`);
  assert.equal(await page.evaluate(() => document.cookie), "session=secret");
  assert.equal(await connects(), "open");
  await shows(page, "here", 1);
  assert.deepEqual(page.problems, []);
});
