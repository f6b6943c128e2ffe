import { Socket } from "./socket.js";

const $ = (id) => document.getElementById(id);
const people = new Map(); // by socket id
const typing = new Set(); // ids of those who are

$("name").value = localStorage.getItem("name") || `guest ${Math.floor(Math.random() * 1000)}`;

const socket = new Socket();

socket.on("connect", async () => {
  people.clear();
  typing.clear();
  for (const p of await socket.ask("enter", $("name").value)) people.set(p.id, p);
  status("open", "connected");
  show();
});

socket.on("disconnect", () => status("closed", "connecting again…"));

socket.on("entered", (person) => {
  people.set(person.id, person);
  note(`${person.name} is here`);
  show();
});

socket.on("left", (person) => {
  people.delete(person.id);
  typing.delete(person.id);
  note(`${person.name} has left`);
  show();
});

socket.on("said", ({ from, text }) => {
  typing.delete(from.id);
  const name = document.createElement("b");
  name.textContent = from.name;
  line(from.id === socket.id ? "mine" : "", name, text);
  show();
});

socket.on("typed", ({ who, on }) => {
  if (on) typing.add(who.id);
  else typing.delete(who.id);
  show();
});

$("say").addEventListener("submit", (e) => {
  e.preventDefault();
  const text = $("text").value.trim();
  if (!text || !socket.id) return;
  socket.emit("say", text);
  $("text").value = "";
  amTyping(false);
});

let told = false;
let pause = 0;
function amTyping(on) {
  clearTimeout(pause);
  if (on) pause = setTimeout(() => amTyping(false), 2000);
  if (on === told) return;
  told = on;
  socket.emit("typing", on);
}
$("text").addEventListener("input", () => amTyping($("text").value !== ""));

$("name").addEventListener("change", async () => {
  localStorage.setItem("name", $("name").value);
  if (!socket.id) return;
  for (const p of await socket.ask("enter", $("name").value)) people.set(p.id, p);
  show();
});

function status(state, text) {
  $("status").dataset.state = state;
  $("status").textContent = text;
}

function note(text) {
  line("note", text);
}

function line(kind, ...parts) {
  const li = document.createElement("li");
  li.className = kind;
  li.append(...parts);
  const list = $("lines");
  const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 40;
  list.append(li);
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function show() {
  $("people").replaceChildren(
    ...[...people.values()].map((p) => {
      const li = document.createElement("li");
      li.textContent = p.name + (typing.has(p.id) ? " …" : "");
      return li;
    }),
  );
}
