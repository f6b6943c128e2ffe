import React, { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import PartySocket from "partysocket";
import usePartySocket from "partysocket/react";

const host = new URLSearchParams(location.search).get("host") ?? PARTYKIT_HOST;

function Counter() {
  const [room, setRoom] = useState("one");
  const [enabled, setEnabled] = useState(true);
  const [state, setState] = useState("closed");
  const [seen, setSeen] = useState({});
  const [posted, setPosted] = useState("");
  const socket = usePartySocket({
    host,
    room,
    enabled,
    minReconnectionDelay: 20,
    maxReconnectionDelay: 50,
    connectionTimeout: 30_000,
    onOpen: () => setState("open"),
    onClose: () => setState("closed"),
    onMessage: (e) => setSeen(JSON.parse(e.data)),
  });
  const post = async () => {
    const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" };
    const res = await PartySocket.fetch({ host, room }, init);
    setPosted(`${res.status} ${(await res.json()).count}`);
  };
  return (
    <main>
      <p id="state">{state}</p>
      <p id="count">{seen.count}</p>
      <p id="here">{seen.here}</p>
      <p id="posted">{posted}</p>
      <button id="add" onClick={() => socket.send("add")}>add</button>
      <button id="post" onClick={post}>post</button>
      <button id="other" onClick={() => setRoom("two")}>other room</button>
      <input id="enabled" type="checkbox" checked={enabled} onChange={(e) => setEnabled(e.target.checked)} />
    </main>
  );
}

createRoot(document.getElementById("root")).render(<StrictMode><Counter /></StrictMode>);
