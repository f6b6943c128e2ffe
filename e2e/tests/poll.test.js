// The template poll: its TypeScript fits its rooms, and its page works, bundled by party dev and by party build.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { promisify } from "node:util";
import { browser } from "./chromium.js";
import { artifacts, project, servers } from "./lib.js";

const run = promisify(execFile);
const modules = join(dirname(fileURLToPath(import.meta.url)), "..", "node_modules");

async function open(b, url) {
  const context = await b.newContext();
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (e) => page.problems.push(String(e)));
  await page.goto(url);
  await page.locator("#status[data-state=open]").waitFor();
  return page;
}

const choice = (page, name) => page.locator("#choices li", { hasText: name });
const votes = (page, name, n) => choice(page, name).locator("output", { hasText: new RegExp(`^${n}$`) }).waitFor();

for (const [name, serve] of Object.entries(servers)) {
  test(`the template poll through ${name}`, async (t) => {
    const app = await project(t, { template: "poll" });
    // What npm ci would bring, in the versions of the template's lock file.
    await symlink(modules, join(app.dir, "node_modules"));
    for (const p of ["partysocket", "typescript"]) {
      const wanted = JSON.parse(await readFile(join(app.dir, "package-lock.json"), "utf8")).packages[`node_modules/${p}`].version;
      const there = JSON.parse(await readFile(join(modules, p, "package.json"), "utf8")).version;
      assert.equal(there, wanted, `${p} of the tests is not that of the template`);
    }
    const tsc = () => run(process.execPath, [join(modules, "typescript", "bin", "tsc"), "-p", "."], { cwd: app.dir });
    await tsc().catch((e) => assert.fail(e.stdout));

    const server = await serve(t, app.dir);
    const b = await browser(t);
    const ada = await open(b, server.url);
    const bob = await open(b, server.url);
    for (const text of ["Soup", "Bread"]) {
      await ada.locator("#name").fill(text);
      await ada.locator("#add button").click();
      await choice(bob, text).waitFor();
    }
    await ada.locator("#people", { hasText: "2 are here" }).waitFor();
    await choice(ada, "Soup").locator("button").click();
    await votes(bob, "Soup", 1);
    await choice(bob, "Bread").locator("button").click();
    await votes(ada, "Bread", 1);
    await choice(ada, "Bread").locator("button").click();
    await votes(bob, "Bread", 2);
    await votes(bob, "Soup", 0);

    await ada.locator("#name").fill("soup");
    await ada.locator("#add button").click();
    await ada.locator("#problem", { hasText: "there is that choice already" }).waitFor();
    await bob.locator("#ask").click();
    await bob.locator("#leader", { hasText: "Bread leads" }).waitFor();
    await ada.screenshot({ path: join(artifacts, `poll-${name.replaceAll(" ", "-")}.png`) });
    assert.deepEqual([...ada.problems, ...bob.problems], []);

    // A field that the page relies on is gone: the module is written anew, and tsc says where.
    if (name !== "party dev") return;
    await app.edit("server.go", "`json:\"votes\"`", "`json:\"count\"`");
    for (const end = Date.now() + 60_000; ; ) {
      if ((await readFile(join(app.dir, "client", "party.ts"), "utf8")).includes("count: number")) break;
      assert.ok(Date.now() < end, "the module is not written anew");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const broken = await tsc().then(() => assert.fail("tsc does not notice"), (e) => e.stdout);
    assert.match(broken, /client\/main\.ts.*'votes' does not exist/);
  });
}
