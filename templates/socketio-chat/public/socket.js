// A small Socket.IO client: one namespace, over WebSocket, with acks and
// reconnection, for pages without a build step. Anything larger should use npm
// socket.io-client, which the server takes just as well: const socket = io();

const FIRST_DELAY = 500; // ms before the first attempt to reconnect
const LONGEST_DELAY = 5_000; // ms

export class Socket {
  #url;
  #ws = null;
  #handlers = new Map();
  #acks = new Map();
  #nextAck = 0;
  #attempts = 0;
  #heartbeat = 0;

  id = ""; // "" while not connected

  constructor({ path = "/socket.io/", host = location.host } = {}) {
    this.#url = `${location.protocol === "https:" ? "wss" : "ws"}://${host}${path}?EIO=4&transport=websocket`;
    this.#connect();
  }

  // Registers a handler. "connect" and "disconnect" are events, too.
  on(event, handler) {
    this.#handlers.set(event, [...(this.#handlers.get(event) ?? []), handler]);
    return this;
  }

  // Sends an event. It is dropped while the socket is not connected.
  emit(event, ...args) {
    if (this.id) this.#ws.send("42" + JSON.stringify([event, ...args]));
  }

  // Sends an event and resolves with the first argument of the answer.
  ask(event, ...args) {
    return new Promise((resolve, reject) => {
      if (!this.id) return reject(new Error("not connected"));
      const id = this.#nextAck++;
      this.#acks.set(id, { resolve, reject });
      this.#ws.send(`42${id}${JSON.stringify([event, ...args])}`);
    });
  }

  #connect() {
    const ws = (this.#ws = new WebSocket(this.#url));
    let patience = 30_000; // until the server says how often it pings
    const alive = () => {
      clearTimeout(this.#heartbeat);
      this.#heartbeat = setTimeout(() => ws.close(), patience);
    };
    alive();
    ws.onmessage = ({ data }) => {
      alive();
      switch (data[0]) {
        case "0": {
          const open = JSON.parse(data.slice(1));
          patience = open.pingInterval + open.pingTimeout;
          return ws.send("40");
        }
        case "2":
          return ws.send("3");
        case "4":
          return this.#packet(data.slice(1));
      }
    };
    ws.onclose = () => {
      clearTimeout(this.#heartbeat);
      const was = this.id;
      this.id = "";
      for (const { reject } of this.#acks.values()) reject(new Error("disconnected"));
      this.#acks.clear();
      if (was) this.#fire("disconnect", []);
      const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempts++);
      setTimeout(() => this.#connect(), delay * (0.75 + Math.random() / 2));
    };
  }

  #packet(text) {
    const [, type, id, payload] = text.match(/^(\d)(\d*)(.*)$/s);
    const value = payload ? JSON.parse(payload) : undefined;
    switch (type) {
      case "0":
        this.id = value.sid;
        this.#attempts = 0;
        return this.#fire("connect", []);
      case "1":
        return this.#ws.close();
      case "2":
        return this.#fire(value[0], value.slice(1));
      case "3":
        this.#acks.get(Number(id))?.resolve(value[0]);
        this.#acks.delete(Number(id));
    }
  }

  #fire(event, args) {
    for (const handler of this.#handlers.get(event) ?? []) handler(...args);
  }
}
