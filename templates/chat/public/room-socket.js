// A connection to a room that stays: it reconnects with back-off, keeps its id, and
// keeps what was sent while it was closed. It speaks what npm partysocket speaks, so
// either can be used with the same server.

const FIRST_DELAY = 250; // ms before the first attempt to reconnect
const LONGEST_DELAY = 10_000; // ms
const CONNECT_TIMEOUT = 8_000; // ms that an attempt may take
const STABLE_AFTER = 5_000; // ms open after which the back-off starts anew
const LONGEST_QUEUE = 1_000; // messages

// RoomSocket dispatches "open", "message" (with data) and "close" events.
export class RoomSocket extends EventTarget {
  #url;
  #socket = null;
  #queue = [];
  #attempts = 0;
  #timer = 0;
  #stopped = false;

  constructor({ party, room, id = crypto.randomUUID?.() ?? randomID(), query = {}, host = location.host }) {
    super();
    this.id = id;
    this.#url = new URL(`${location.protocol === "https:" ? "wss" : "ws"}://${host}`);
    this.#url.pathname = `/parties/${encodeURIComponent(party)}/${encodeURIComponent(room)}`;
    this.#url.search = new URLSearchParams({ ...query, _pk: id });
    addEventListener("online", this.#wake);
    document.addEventListener("visibilitychange", this.#wake);
    this.#connect();
  }

  // How many messages wait for the connection.
  get waiting() {
    return this.#queue.length;
  }

  // Sends now, or as soon as the connection is back. False: too much is waiting already.
  send(data) {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(data);
      return true;
    }
    if (this.#queue.length >= LONGEST_QUEUE) return false;
    this.#queue.push(data);
    return true;
  }

  // Ends the connection for good.
  close() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    removeEventListener("online", this.#wake);
    document.removeEventListener("visibilitychange", this.#wake);
    this.#socket?.close(1000);
  }

  #connect() {
    const socket = (this.#socket = new WebSocket(this.#url));
    let stable = 0;
    const timeout = setTimeout(() => socket.close(), CONNECT_TIMEOUT);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      clearTimeout(timeout);
      stable = setTimeout(() => (this.#attempts = 0), STABLE_AFTER);
      for (const data of this.#queue.splice(0)) socket.send(data);
      this.dispatchEvent(new Event("open"));
    };
    socket.onmessage = ({ data }) => this.dispatchEvent(new MessageEvent("message", { data }));
    socket.onclose = ({ code, reason }) => {
      clearTimeout(timeout);
      clearTimeout(stable);
      this.#socket = null;
      this.dispatchEvent(new CloseEvent("close", { code, reason }));
      if (!this.#stopped) this.#timer = setTimeout(() => this.#connect(), this.#delay());
    };
  }

  // Grows from attempt to attempt, with chance in it: not everybody comes back at once.
  #delay() {
    const longest = Math.min(FIRST_DELAY * 2 ** this.#attempts++, LONGEST_DELAY);
    return longest * (0.5 + Math.random() / 2);
  }

  // Does not wait for the back-off when the network or the reader has come back.
  #wake = () => {
    if (this.#stopped || this.#socket || document.hidden) return;
    clearTimeout(this.#timer);
    this.#connect();
  };
}

// crypto.randomUUID exists only on https and localhost.
function randomID() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}
