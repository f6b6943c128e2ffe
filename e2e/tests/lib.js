// What the tests share: projects in temporary folders, servers as child
// processes, and clients that record everything that happens to them.
import { execFile, spawn } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { PartySocket } from "partysocket";
import WebSocket from "ws";

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
export const checkout = join(here, "..", "..");
export const artifacts = join(here, "..", "artifacts");

let cli;
// party returns the path of the CLI, built once.
export async function party() {
  if (!cli) {
    cli = (async () => {
      if (process.env.PARTY_BIN) return process.env.PARTY_BIN;
      const bin = join(await mkdtemp(join(tmpdir(), "party-cli-")), "party");
      await run("go", ["build", "-o", bin, "./cmd/party"], { cwd: checkout });
      return bin;
    })();
  }
  return cli;
}

// project scaffolds a template and lays a fixture over it.
export async function project(t, { template = "chat", fixture } = {}) {
  const dir = join(await mkdtemp(join(tmpdir(), "party-e2e-")), "app");
  t.after(() => rm(dirname(dir), { recursive: true, force: true, maxRetries: 5 }));
  await run(await party(), ["init", dir, "--template", template]);
  if (fixture) await cp(join(here, "..", "testdata", fixture), dir, { recursive: true });
  return {
    dir,
    // edit replaces text in a file, and fails if it is not there.
    async edit(file, from, to) {
      const path = join(dir, file);
      const text = await readFile(path, "utf8");
      if (!text.includes(from)) throw new Error(`${file} has no ${JSON.stringify(from)}`);
      await writeFile(path, text.replace(from, to));
    },
  };
}

// freePort finds a port that nobody uses now.
export function freePort() {
  return new Promise((resolve, reject) => {
    const s = createServer();
    s.on("error", reject);
    s.listen(0, "127.0.0.1", () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });
}

// start runs a server and waits for its address in the output.
export async function start(t, command, args, options, ready) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  const server = { child, output: "", exit: null };
  const waiters = new Set();
  const heard = (data) => {
    server.output += data;
    for (const w of [...waiters]) w();
  };
  child.stdout.on("data", heard);
  child.stderr.on("data", heard);
  server.exited = new Promise((resolve) =>
    child.on("exit", (code, signal) => {
      server.exit = { code, signal };
      heard("");
      resolve(server.exit);
    }),
  );
  // until resolves when the output after offset matches.
  server.until = (pattern, offset = 0, ms = 60_000) =>
    new Promise((resolve, reject) => {
      const look = () => {
        const m = server.output.slice(offset).match(pattern);
        if (m) return done(resolve, m);
        if (server.exit) done(reject, new Error(`exited with ${JSON.stringify(server.exit)}:\n${server.output}`));
      };
      const timer = setTimeout(
        () => done(reject, new Error(`no ${pattern} in the output after ${ms} ms:\n${server.output.slice(offset)}`)),
        ms,
      );
      const done = (f, v) => {
        waiters.delete(look);
        clearTimeout(timer);
        f(v);
      };
      waiters.add(look);
      look();
    });
  server.stop = async (signal = "SIGTERM") => {
    if (!server.exit) child.kill(signal);
    return server.exited;
  };
  t.after(() => server.stop("SIGKILL"));
  const m = await server.until(ready);
  server.host = m[1].replace("[::]", "127.0.0.1");
  server.url = `http://${server.host}`;
  return server;
}

// dev runs `party dev`.
export async function dev(t, dir, ...args) {
  const port = await freePort();
  return start(t, await party(), ["dev", "server.go", "--port", String(port), ...args], { cwd: dir }, /https?:\/\/(localhost:\d+)/);
}

// built runs the binary that `party build` makes, with data in ./data.
export async function built(t, dir, ...args) {
  const bin = join(dir, "app-under-test");
  await run(await party(), ["build", "-o", bin], { cwd: dir });
  return start(t, bin, ["--addr", "127.0.0.1:0", "--data", join(dir, "data"), ...args], { cwd: dir }, /listening on http:\/\/(\S+)/);
}

// servers are the two ways to run a project, which must behave alike.
export const servers = { "party dev": dev, "the built binary": built };

// connect opens a partysocket that records its messages and closes.
export async function connect(t, server, options = {}) {
  const socket = new PartySocket({ host: server.host, room: "lobby", WebSocket, ...options });
  t.after(() => socket.close());
  const client = { socket, messages: [], closes: [], opens: 0 };
  const waiters = new Set();
  socket.addEventListener("message", (e) => {
    client.messages.push(e.data);
    for (const w of [...waiters]) w();
  });
  socket.addEventListener("close", (e) => client.closes.push(e.code));
  // until resolves when the recorded messages satisfy a condition.
  client.until = (ok, ms = 30_000) =>
    new Promise((resolve, reject) => {
      const look = () => {
        if (ok(client.messages)) {
          waiters.delete(look);
          clearTimeout(timer);
          resolve(client.messages);
        }
      };
      const timer = setTimeout(() => {
        waiters.delete(look);
        reject(new Error(`messages after ${ms} ms: ${JSON.stringify(client.messages.slice(-20))}, closes ${client.closes}`));
      }, ms);
      waiters.add(look);
      look();
    });
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("not open after 30 s")), 30_000);
    socket.addEventListener("open", () => {
      client.opens++;
      clearTimeout(timer);
      resolve();
    });
  });
  return client;
}

// children lists the process ids right below one, whichever of its threads started them.
async function children(pid) {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(threads.map((t) => readFile(`/proc/${pid}/task/${t}/children`, "utf8").catch(() => "")));
  return lists.flatMap((l) => l.trim().split(/\s+/).filter(Boolean).map(Number));
}

// hostOf is the process that runs the user's code: the one of a dev server's children that was
// given a link. The others are the go command's, which come and go.
export async function hostOf(server) {
  for (const pid of await children(server.child.pid)) {
    const env = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (/(^|\0)PARTY_HOST_FD=/.test(env)) return pid;
  }
  throw new Error("the dev server has no host process");
}

// descendants lists a process and all below it.
export async function descendants(pid) {
  const below = await children(pid);
  return [pid, ...(await Promise.all(below.map(descendants))).flat()];
}
