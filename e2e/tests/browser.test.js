// The scaffold's page in headless Chromium, as its user sees it.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { browser } from "./chromium.js";
import { artifacts, built, dev, project, servers } from "./lib.js";

// open opens the page as somebody of a browser of their own.
async function open(b, url, name) {
  const context = await b.newContext();
  await context.addInitScript((n) => { try { localStorage.setItem("name", n); } catch {} }, name);
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (e) => page.problems.push(String(e)));
  await page.goto(url);
  await page.locator("#status[data-state=open]").waitFor();
  return page;
}

const say = async (page, text) => {
  await page.locator("#text").fill(text);
  await page.locator("#say button").click();
};
const hears = (page, text) => page.locator("#lines", { hasText: text }).waitFor();

for (const [name, serve] of Object.entries(servers)) {
  test(`two tabs chat through ${name}`, async (t) => {
    const app = await project(t);
    const server = await serve(t, app.dir);
    const b = await browser(t);
    const ada = await open(b, server.url, "Ada");
    const bob = await open(b, server.url, "Bob");
    await say(ada, "hello from the first tab");
    await hears(bob, "hello from the first tab");
    await say(bob, "and back");
    await hears(ada, "and back");
    await ada.screenshot({ path: join(artifacts, `chat-${name.replaceAll(" ", "-")}.png`) });
    await bob.close();
    await ada.reload();
    await hears(ada, "and back");
    assert.deepEqual(ada.problems, []);
  });
}

test("a build error shows over the page, and goes with the fix", async (t) => {
  const app = await project(t);
  const server = await dev(t, app.dir);
  const b = await browser(t);
  const page = await open(b, server.url, "Ada");
  let navigations = 0;
  page.on("framenavigated", () => navigations++);

  await app.edit("server.go", "return c.Broadcast(party.JSON(Frame{Type: \"line\", Line: &line}))", "return c.Brodcast(party.JSON(Frame{Type: \"line\", Line: &line}))");
  const problem = page.getByText("c.Brodcast undefined").first();
  await problem.waitFor({ timeout: 30_000 });
  await page.getByText(/server\.go:\d+:\d+/).first().waitFor();
  await page.screenshot({ path: join(artifacts, "overlay.png") });

  await app.edit("server.go", "c.Brodcast(", "c.Broadcast(");
  await problem.waitFor({ state: "detached", timeout: 30_000 });
  await page.screenshot({ path: join(artifacts, "overlay-gone.png") });
  await say(page, "still the same socket");
  await hears(page, "still the same socket");
  assert.equal(navigations, 0, "the page was not reloaded");
  assert.equal(await page.locator("#status").getAttribute("data-state"), "open");
  assert.deepEqual(page.problems, []);
});

test("onfetch: a browser logs in and talks to its private room", async (t) => {
  const app = await project(t, { template: "onfetch" });
  const server = await built(t, app.dir);
  const refused = await fetch(`${server.url}/parties/user/ada`);
  assert.ok([401, 403].includes(refused.status), `direct access is refused, got ${refused.status}`);
  const b = await browser(t);
  const page = await (await b.newContext()).newPage();
  await page.goto(server.url);
  await page.screenshot({ path: join(artifacts, "onfetch.png") });
  const answers = await page.evaluate(async () => {
    const login = await fetch("/login/ada");
    const post = await fetch("/user", { method: "POST", body: "hi" });
    const pong = await new Promise((resolve, reject) => {
      const ws = new WebSocket(`ws://${location.host}/user`);
      ws.onopen = () => ws.send("ping");
      ws.onmessage = (e) => resolve(e.data);
      ws.onerror = () => reject(new Error("socket failed"));
    });
    return { login: login.status, post: post.status, text: await post.text(), pong };
  });
  assert.equal(answers.login, 200);
  assert.equal(answers.post, 200);
  assert.match(answers.text, /ada/);
  assert.match(answers.pong, /pong/i);
});
