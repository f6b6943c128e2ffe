const $ = (id) => document.getElementById(id);
const room = new URLSearchParams(location.search).get("room") || "board";
const path = `/parties/messages/${encodeURIComponent(room)}`;
const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
let attempts = 0;

// Pull: the list is fetched whenever the socket opens, so nothing that was posted while it was closed
// is missed. What is pushed meanwhile makes the list be fetched once more.
let loading = false;
let missed = false;

async function load() {
  loading = true;
  try {
    do {
      missed = false;
      const response = await fetch(path);
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
      $("messages").replaceChildren(...(await response.json()).map(item));
    } while (missed);
    status(`live in ${room}`);
  } catch (error) {
    status(error.message);
  } finally {
    loading = false;
  }
}

// Push: every message comes over the socket as it is posted.
function connect() {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}?_pk=${id}`);
  socket.onopen = () => {
    attempts = 0;
    load();
  };
  socket.onmessage = ({ data }) => {
    if (loading) missed = true;
    else $("messages").append(item(data));
  };
  socket.onclose = () => {
    status("reconnecting…");
    setTimeout(connect, Math.min(250 * 2 ** attempts++, 10_000) * (0.5 + Math.random() / 2));
  };
}

$("post").addEventListener("submit", async (event) => {
  event.preventDefault();
  const message = $("message").value;
  const response = await fetch(path, { method: "POST", body: JSON.stringify({ message }) }).catch((error) => error);
  if (!response.ok) return status(`not posted: ${response.message ?? (await response.text())}`);
  $("message").value = "";
});

function item(text) {
  const li = document.createElement("li");
  li.textContent = text;
  return li;
}

function status(text) {
  $("status").textContent = text;
}

connect();
