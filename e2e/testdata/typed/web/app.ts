// Uses the generated module. What must not compile is marked.
import WebSocket from "ws";
import { every } from "./every.js";
import { call, CallError, connect, type ServerEvent } from "./party.js";

const host = process.argv[2]!;
const chat = connect({ host, party: "chat", room: "lobby", id: "ada", WebSocket });
chat.on("said", (e) => {
  const mood: "happy" | "angry" | undefined = e.mood;
  console.log("said", e.by, e.text, mood);
  // @ts-expect-error: events have no such field
  e.nothing;
});
const failed = new Promise<ServerEvent>((resolve) => chat.on("error", resolve));
chat.send({ type: "say", text: "hello", mood: "happy" });
// @ts-expect-error: there is no message of that type
chat.send({ type: "shout", text: "hello" });
// @ts-expect-error: a field is missing
const incomplete: Parameters<typeof chat.send>[0] = { type: "say" };
// @ts-expect-error: no such event
chat.on("nothing", () => {});
console.log("error", JSON.stringify(await failed));

const at = { host, party: "user", room: "ada" } as const;
const score: number = await call(at, "Add", 2);
console.log("score", score);
await every(host);
try {
  await call(at, "Add", -100);
} catch (e) {
  if (!(e instanceof CallError)) throw e;
  console.log("failed", e.status, e.message, e.known.join());
}
const never = async () => {
  // @ts-expect-error: it is not public
  await call(at, "Reset");
  // @ts-expect-error: it takes a number
  await call(at, "Add", "2");
  // @ts-expect-error: there is no such party
  connect({ host, party: "nothing", room: "a" });
};
void never, incomplete;
chat.close();
