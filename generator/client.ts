/** Answers a message that the server does not understand. */
export interface ErrorFrame {
  type: "error";
  code: "bad-frame" | "unknown-type" | "bad-message";
  /** The type of the message, empty if it has none. */
  of: string;
  message: string;
}

export type Party = keyof Messages & keyof Calls;

/** Where a room is, and how to connect to it: the options of PartySocket. */
export type Place<P extends Party> = Omit<PartySocketOptions, "party" | "room"> & { party: P; room: string };

/** A connection to a room. It connects again by itself, as its socket does. */
export class Connection<P extends Party> {
  readonly socket: PartySocket;

  constructor(place: Place<P>) {
    this.socket = new PartySocket(place);
  }

  send(message: Messages[P]): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Calls handler with each event of a type, until the function that it returns is called. */
  on<T extends ServerEvent["type"]>(type: T, handler: (event: Extract<ServerEvent, { type: T }>) => void): () => void {
    const listener = (e: MessageEvent): void => {
      if (typeof e.data !== "string") return;
      let event: unknown;
      try {
        event = JSON.parse(e.data);
      } catch {
        return;
      }
      if (typeof event === "object" && event !== null && "type" in event && event.type === type) {
        handler(event as Extract<ServerEvent, { type: T }>);
      }
    };
    this.socket.addEventListener("message", listener);
    return () => this.socket.removeEventListener("message", listener);
  }

  close(code?: number, reason?: string): void {
    this.socket.close(code, reason);
  }
}

export function connect<P extends Party>(place: Place<P>): Connection<P> {
  return new Connection(place);
}

/** What a call failed with. A status of 422 is the method's own error, and known are the names of those that it is. */
export class CallError extends Error {
  readonly status: number;
  readonly known: string[];

  constructor(message: string, status: number, known: string[]) {
    super(message);
    this.name = "CallError";
    this.status = status;
    this.known = known;
  }
}

type Call<P extends Party, M extends keyof Calls[P]> = Calls[P][M] extends { args: infer A extends unknown[]; result: infer R }
  ? { args: A; result: R }
  : never;

/** Calls a method of a room, over HTTP. */
export async function call<P extends Party, M extends keyof Calls[P] & string>(
  place: { host: string; party: P; room: string; prefix?: string; protocol?: "http" | "https" },
  method: M,
  ...args: Call<P, M>["args"]
): Promise<Call<P, M>["result"]> {
  const response = await PartySocket.fetch(
    { ...place, path: `_call/${method}` },
    { method: "POST", body: JSON.stringify(args) },
  );
  const text = await response.text();
  if (response.status === 422) {
    const error: { message: string; known?: Record<string, unknown> } = JSON.parse(text);
    throw new CallError(error.message, 422, Object.keys(error.known ?? {}));
  }
  if (!response.ok) throw new CallError(text.trim(), response.status, []);
  const results: unknown[] = JSON.parse(text);
  return (results.length > 1 ? results : results[0]) as Call<P, M>["result"];
}
