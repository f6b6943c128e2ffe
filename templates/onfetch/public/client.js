const $ = (id) => document.getElementById(id);
const HERE = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;

// The socket to /user. The browser sends the cookie along, because it is the page's own host.
let socket = null;
let attempts = 0;
let unanswered = []; // pings that wait for the connection

function connect() {
  const mine = (socket = new WebSocket(`${HERE}/user`));
  mine.onopen = () => {
    attempts = 0;
    log("socket open");
    for (const ping of unanswered.splice(0)) mine.send(ping);
  };
  mine.onmessage = ({ data }) => log(`socket: ${data}`);
  mine.onclose = ({ code }) => {
    if (mine !== socket) return; // replaced by the socket of another user
    socket = null;
    log(`socket closed (${code})`);
    const delay = Math.min(250 * 2 ** attempts++, 10_000) * (0.5 + Math.random() / 2);
    setTimeout(() => socket ?? connect(), delay);
  };
}

function ping() {
  if (socket?.readyState === WebSocket.OPEN) return socket.send("ping");
  unanswered.push("ping");
  if (!socket && attempts === 0) connect();
}

async function show(what, request) {
  try {
    const response = await request;
    log(`${what}: ${response.status} ${await response.text()}`);
    return response.ok;
  } catch (error) {
    log(`${what}: ${error.message}`);
    return false;
  }
}

$("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const user = encodeURIComponent($("user").value.trim());
  if (!(await show("login", fetch(`/login/${user}`, { method: "POST" })))) return;
  const before = socket;
  socket = null;
  before?.close(1000);
  connect();
});

$("post").addEventListener("click", () => show("POST /user", fetch("/user", { method: "POST" })));
$("ping").addEventListener("click", ping);
$("direct").addEventListener("click", () =>
  show("POST /parties/user/…", fetch(`/parties/user/${encodeURIComponent($("user").value)}`, { method: "POST" })),
);

function log(text) {
  const item = document.createElement("li");
  item.textContent = text.trim();
  $("log").prepend(item);
}
