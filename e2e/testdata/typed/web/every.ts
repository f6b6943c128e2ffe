// Types of every kind, against what the server takes and sends. What must not compile is marked.
import { call, type Every, type Header, type Level, type NodeLevel, type NodeString, type Tree } from "./party.js";

/** Same is true only if two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

same<Level, 0 | 1>(true);
same<Header, { id: string; from: string }>(true);
same<Every["id"], number>(true); // the outer field hides the embedded one
same<Every["from"], string>(true);
same<Every["Plain"], number>(true);
same<Every["at"], string>(true);
same<Every["took"], number>(true);
same<Every["blob"], string | null>(true);
same<Every["words"], Array<string> | null>(true);
same<Every["pair"], Array<number>>(true);
same<Every["scores"], Record<string, number> | null>(true);
same<Every["byLevel"], Record<string, boolean> | null>(true);
same<Every["pointer"], Header | null>(true);
same<Pick<Every, "empty">, { empty?: Array<number> }>(true);
same<Pick<Every, "zero">, { zero?: string }>(true);
same<Pick<Every, "maybe">, { maybe?: string }>(true);
same<Every["big"], string>(true);
same<Every["maybeBig"], string | null>(true);
same<Every["nested"], { X: number }>(true);
same<Every["tree"], Tree>(true);
same<Tree["children"], Array<Tree | null> | null>(true);
same<Every["strings"], NodeString>(true);
same<NodeString["next"], NodeString | null>(true);
same<Every["levels"], NodeLevel | null>(true);
same<NodeLevel["value"], Level>(true);
same<Every["any"], unknown>(true);
same<Every["-"], boolean>(true);
same<Every["odd-name"], boolean>(true);
// @ts-expect-error: it is not in JSON
type Hidden = Every["Hidden"];

/** Sends one of each kind and wants it back. */
export async function every(host: string): Promise<void> {
  const sent: Every = {
    from: "a", text: "b", Plain: 1, level: 1, at: "2026-01-02T03:04:05Z", took: 5, blob: "aGk=", words: ["x"], pair: [1, 2.5],
    scores: { a: 1 }, byLevel: { 1: true }, pointer: { id: "p", from: "q" }, big: "9007199254740993", maybeBig: null, nested: { X: 1 },
    tree: { name: "root", children: [{ name: "leaf", children: null }] }, strings: { value: "s", next: { value: "t", next: null } },
    levels: null, any: { free: [1] }, "-": true, "odd-name": false, id: 1.5,
  };
  const [got, trees]: [Every, Array<Tree> | null] = await call({ host, party: "user", room: "every" }, "Every", sent);
  const ordered = (e: Every): string => JSON.stringify(Object.entries(e).sort());
  console.log(ordered(got) === ordered(sent) ? "every kind came back" : `sent ${ordered(sent)}, got ${ordered(got)}`, trees?.length);
}
