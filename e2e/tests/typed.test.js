// The generated TypeScript module: it compiles under --strict, does not let mistakes compile, and
// talks to the server that it was generated for.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { symlink, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { promisify } from "node:util";
import { party, project, start } from "./lib.js";

const run = promisify(execFile);
const modules = join(dirname(fileURLToPath(import.meta.url)), "..", "node_modules");

test("the TypeScript client", async (t) => {
  const app = await project(t, { fixture: "typed" });
  const bin = await party();
  const cli = (...args) => run(bin, args, { cwd: app.dir });
  await cli("generate");
  await cli("generate", "--check");

  await symlink(modules, join(app.dir, "node_modules"));
  const tsc = () => run(process.execPath, [join(modules, "typescript", "bin", "tsc"), "-p", "web"], { cwd: app.dir }).catch((e) => assert.fail(e.stdout));
  await tsc();

  await rm(join(app.dir, "node_modules"));
  await cli("build", "-o", "app");
  await symlink(modules, join(app.dir, "node_modules"));
  const server = await start(t, join(app.dir, "app"), ["--addr", "127.0.0.1:0", "--data", "data"], { cwd: app.dir }, /listening on http:\/\/(\S+)/);
  const { stdout } = await run(process.execPath, [join(app.dir, "web", "out", "app.js"), server.host]);
  const lines = stdout.trim().split("\n");
  assert.ok(lines.includes("said ada hello happy"), stdout);
  assert.ok(lines.some((l) => l.startsWith('error {"type":"error","code":"unknown-type","of":"shout"')), stdout);
  assert.ok(lines.includes("score 3"), stdout);
  assert.ok(lines.includes("every kind came back 1"), stdout);
  assert.ok(lines.includes("failed 422 broke ErrBroke"), stdout);

  // A change of a message makes the module stale.
  await app.edit("server.go", "`json:\"text\"`", "`json:\"words\"`");
  const stale = await cli("generate", "--check").then(() => assert.fail("--check does not notice"), (e) => e.stderr);
  assert.match(stale, /web\/party\.ts/);
  await server.stop();
});
