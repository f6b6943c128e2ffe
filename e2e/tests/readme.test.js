// The README's commands, as it shows them, in a clean clone.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { checkout, connect, descendants, start } from "./lib.js";

const run = promisify(execFile);

// console returns the commands of a section's console blocks.
async function commands(section) {
  const readme = await readFile(join(checkout, "README.md"), "utf8");
  const text = readme.split(/^## /m).find((s) => s.startsWith(section));
  assert.ok(text, `the README has a section ${section}`);
  return [...text.matchAll(/```console\n([^]*?)```/g)].flatMap((m) =>
    m[1].split("\n").filter((l) => l.startsWith("$ ")).map((l) => l.slice(2)),
  );
}

// shell starts a command line as a user would type it.
const shell = (t, line, cwd, env, ready) =>
  start(t, "sh", ["-c", `exec ${line}`], { cwd, env: { ...process.env, ...env } }, ready);

test("the README, from a clean clone", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "party-readme-"));
  t.after(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  await run("git", ["clone", "-q", checkout, join(dir, "party")]);
  const clone = join(dir, "party");

  const [serve] = await commands("Start");
  assert.equal(serve, "go run ./cmd/party dev templates/chat");
  // `go run` does not pass SIGTERM on; what it starts is stopped by its own test below.
  const server = await shell(t, serve, clone, {}, /https?:\/\/(localhost:\d+)/);
  const page = await fetch(server.url);
  assert.equal(page.status, 200);
  const c = await connect(t, server, { party: "chat" });
  await c.until((m) => m.length >= 1);
  c.socket.close();
  await run("sh", ["-c", `kill -INT ${(await descendants(server.child.pid)).join(" ")}`]);
  await server.exited;

  const [install, init, cd, dev] = await commands("Five minutes");
  const env = { GOBIN: join(dir, "bin"), PATH: `${join(dir, "bin")}:${process.env.PATH}` };
  await run("sh", ["-c", install], { cwd: clone, env: { ...process.env, ...env } });
  await run("sh", ["-c", init], { cwd: dir, env: { ...process.env, ...env } });
  const project = join(dir, cd.replace(/^cd /, ""));
  const again = await shell(t, dev, project, env, /https?:\/\/(localhost:\d+)/);
  assert.equal((await fetch(again.url)).status, 200);
  assert.deepEqual(await again.stop("SIGINT"), { code: 0, signal: null }, again.output);

  const [build, serveBinary] = (await commands("Five minutes")).slice(4);
  await run("sh", ["-c", build], { cwd: project, env: { ...process.env, ...env } });
  const app = await shell(t, serveBinary, project, env, /listening on http:\/\/\S+(:\d+)/);
  assert.equal((await fetch(`http://127.0.0.1${app.host}`)).status, 200);
  assert.deepEqual(await app.stop("SIGTERM"), { code: 0, signal: null }, app.output);

  // A host for what the README ships. Apps run as the user of the host, who can get into this folder.
  const data = join(dir, "host");
  const host = await shell(
    t,
    `party host serve --data ${data} --run ${join(dir, "run")} --addr 127.0.0.1:0 --domain localhost --probation 1s --first-user=-1`,
    dir, env, /listening on http:\/\/(\S+:\d+)/,
  );
  const sh = async (line) => (await run("sh", ["-c", line], { cwd: project, env: { ...process.env, ...env } })).stdout;
  env.PARTY_HOST = `http://${host.host}`;
  env.PARTY_TOKEN = (await sh(`party host token new e2e --data ${data}`)).trim();
  const [deploy, versions, tail] = await commands("Ship it");
  assert.match(await sh(deploy), /^Deployed hello version [0-9a-f]{12}: http:\/\/hello\.localhost:/m);
  const port = host.host.split(":").at(-1);
  const answer = await new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path: "/", headers: { host: `hello.localhost:${port}` } }, resolve).on("error", reject);
  });
  assert.equal(answer.statusCode, 200);
  answer.resume();
  assert.match(await sh(versions), / serving /);
  assert.match(await sh(tail), / \[host\] version [0-9a-f]{12} serves/);
  assert.deepEqual(await host.stop("SIGTERM"), { code: 0, signal: null }, host.output);
});
