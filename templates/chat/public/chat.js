import { RoomSocket } from "./room-socket.js";

const $ = (id) => document.getElementById(id);

// The room is named by the hash (/#kitchen) or by the query (/?room=kitchen).
const roomName = () =>
  safeDecode(location.hash.slice(1)) || new URLSearchParams(location.search).get("room") || "lobby";

const people = new Map(); // id → name
let socket;

function join() {
  socket?.close();
  const room = roomName();
  $("room").textContent = room;
  const mine = (socket = new RoomSocket({
    party: "chat",
    room,
    id: socket?.id,
    query: { name: $("name").value.trim() },
  }));
  show("connecting", "connecting…");
  // A socket that has been replaced has nothing to say any more.
  const on = (type, fn) => mine.addEventListener(type, (event) => mine === socket && fn(event));
  on("open", () => show("open", "connected"));
  on("close", () => showClosed());
  on("message", ({ data }) => {
    const frame = parse(data);
    handlers[frame?.type]?.(frame);
  });
}

const handlers = {
  welcome({ lines = [], people: here = [] }) {
    $("lines").replaceChildren();
    lines.forEach(addLine);
    people.clear();
    for (const { id, name } of here) people.set(id, name);
    showPeople();
  },
  line: ({ line }) => addLine(line),
  joined({ person }) {
    people.set(person.id, person.name);
    showPeople();
  },
  left({ person }) {
    people.delete(person.id);
    showPeople();
  },
  refused: ({ reason }) => addNote(reason),
};

function addLine({ from, name, text, at }) {
  const time = element("time", new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = at;
  const item = element("li");
  item.classList.toggle("mine", from === socket.id);
  item.append(element("b", name), time, element("p", text));
  append(item);
}

function addNote(text) {
  const item = element("li", text);
  item.className = "note";
  append(item);
}

// Follows the newest line, unless the reader has scrolled up.
function append(item) {
  const list = $("lines");
  const follow = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  list.append(item);
  if (follow) list.scrollTop = list.scrollHeight;
}

function showPeople() {
  const items = [...people].map(([id, name]) => element("li", id === socket.id ? `${name} (you)` : name));
  $("people").replaceChildren(...items);
}

function show(state, text) {
  $("status").dataset.state = state;
  $("status").textContent = text;
}

function showClosed() {
  const n = socket.waiting;
  show("closed", n ? `reconnecting… ${n} to send` : "reconnecting…");
}

$("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  if (!socket.send(text)) return addNote("Not sent: too much is waiting for the connection already.");
  $("text").value = "";
  if (socket.waiting) showClosed();
});

$("name").addEventListener("change", () => {
  store(localStorage, "name", $("name").value.trim());
  join();
});

addEventListener("hashchange", join);

$("name").value = read(localStorage, "name") || `guest ${Math.floor(Math.random() * 900) + 100}`;
join();

function element(tag, text = "") {
  const e = document.createElement(tag);
  e.textContent = text;
  return e;
}

function parse(data) {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}

function safeDecode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// Storage throws where the browser forbids it.
function read(storage, key) {
  try {
    return storage.getItem(key);
  } catch {
    return null;
  }
}

function store(storage, key, value) {
  try {
    storage.setItem(key, value);
  } catch {
    // The name is then asked for again next time.
  }
}
