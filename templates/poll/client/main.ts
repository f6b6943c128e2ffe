// The page of the poll. What it sends and gets has the types of server.go, by way of party.ts.
import { call, CallError, connect, type Choice } from "./party";

const element = <T extends HTMLElement>(id: string): T => {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
};

// A vote belongs to a connection's id: keep it for as long as the tab is open.
const id = sessionStorage.getItem("id") ?? crypto.randomUUID();
sessionStorage.setItem("id", id);

const name = location.hash.slice(1) || "lobby";
const place = { host: location.host, party: "poll", room: decodeURIComponent(name) } as const;
const poll = connect({ ...place, id });

const status = element("status");
poll.socket.addEventListener("open", () => show("open"));
poll.socket.addEventListener("close", () => show("connecting"));
function show(state: "open" | "connecting"): void {
  status.dataset["state"] = state;
  status.textContent = state === "open" ? "connected" : "connecting…";
}

poll.on("tally", ({ choices, people }) => {
  element("people").textContent = people === 1 ? "only you are here" : `${people} are here`;
  element("problem").textContent = "";
  const all = choices ?? [];
  const most = Math.max(1, ...all.map((c) => c.votes));
  element("choices").replaceChildren(...all.map((c, at) => row(c, at, most)));
});
poll.on("refused", ({ reason }) => (element("problem").textContent = reason));
poll.on("error", ({ message }) => (element("problem").textContent = message));

function row(choice: Choice, at: number, most: number): HTMLLIElement {
  const li = document.createElement("li");
  const button = document.createElement("button");
  button.textContent = choice.name;
  button.addEventListener("click", () => poll.send({ type: "vote", choice: at }));
  const bar = document.createElement("meter");
  bar.max = most;
  bar.value = choice.votes;
  const votes = document.createElement("output");
  votes.textContent = String(choice.votes);
  li.append(button, bar, votes);
  return li;
}

element<HTMLFormElement>("add").addEventListener("submit", (e) => {
  e.preventDefault();
  const field = element<HTMLInputElement>("name");
  poll.send({ type: "add", name: field.value });
  field.value = "";
});

element("ask").addEventListener("click", async () => {
  try {
    const leader = await call(place, "Leader");
    element("leader").textContent = leader ? `${leader.name} leads` : "nobody has voted";
  } catch (e) {
    element("leader").textContent = e instanceof CallError ? e.message : "the server cannot be reached";
  }
});
