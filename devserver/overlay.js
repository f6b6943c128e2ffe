// The dev server's overlay: shows why the newest code is not running, and
// loads the page again when its static files have changed. It lives in a shadow
// root and adds one element and no global name to the page.
(() => {
  const script = document.currentScript;
  const base = new URL(".", script.src);
  const untilServing = script.hasAttribute("data-until-serving");
  if (window.top !== window.self && !untilServing) return; // one overlay is enough

  const css = `
    :host { all: initial }
    .back { position: fixed; inset: 0; z-index: 2147483647; overflow: auto; padding: 4vh 1rem; box-sizing: border-box;
      background: rgb(10 12 16 / .72); font: 14px/1.5 system-ui, sans-serif; color: #e8eaed }
    .card { max-width: 60rem; margin: 0 auto; background: #17191e; border-radius: 10px; border-top: 4px solid #ff5c5c;
      padding: 1rem 1.25rem; box-shadow: 0 12px 48px rgb(0 0 0 / .5) }
    header { display: flex; align-items: baseline; gap: .75rem }
    h1 { font-size: 1.1rem; margin: 0; color: #ff8080; flex: 1 }
    .phase { color: #9aa0a6 }
    button { font: inherit; color: inherit; background: none; border: 1px solid #5f6368; border-radius: 6px; cursor: pointer; padding: .1rem .6rem }
    section { margin-top: 1rem }
    .place { color: #8ab4f8; font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere }
    .message { font-weight: 600; overflow-wrap: anywhere }
    pre { margin: .35rem 0 0; padding: .6rem .8rem; background: #0d0f12; border-radius: 6px; overflow-x: auto;
      font: 13px/1.45 ui-monospace, monospace; white-space: pre; tab-size: 8 }
    footer { margin-top: 1rem; color: #9aa0a6; font-size: 12px }`;

  const element = (tag, className, text) => {
    const e = document.createElement(tag);
    if (className) e.className = className;
    if (text) e.textContent = text;
    return e;
  };

  let root, dismissed = "", shown = "";
  const hide = () => { root?.host.remove(); root = undefined; shown = ""; };
  const show = (status) => {
    const key = JSON.stringify([status.problems, status.phase]);
    if (JSON.stringify(status.problems) === dismissed || key === shown) return;
    if (!root) {
      const host = element("party-dev-overlay");
      root = host.attachShadow({ mode: "open" });
      document.documentElement.append(host);
    }
    shown = key;
    const back = element("div", "back");
    const card = element("div", "card");
    card.setAttribute("role", "alertdialog");
    card.setAttribute("aria-label", status.problems[0].title);
    const head = element("header");
    const close = element("button", "", "dismiss");
    close.addEventListener("click", () => { dismissed = JSON.stringify(status.problems); hide(); });
    head.append(element("h1", "", status.problems[0].title), element("span", "phase", status.phase === "building" ? "building…" : ""), close);
    card.append(head);
    status.problems.forEach((p, i) => {
      const section = element("section");
      if (i > 0 && p.title !== status.problems[i - 1].title) section.append(element("h1", "", p.title));
      if (p.place) section.append(element("div", "place", p.place));
      section.append(element("div", "message", p.message));
      if (p.detail) section.append(element("pre", "", p.detail));
      card.append(section);
    });
    card.append(element("footer", "", status.serving
      ? "The code before this change goes on serving. This disappears when the problem is solved."
      : "Nothing is serving now; sockets stay open and requests wait. This disappears when the problem is solved."));
    back.append(card);
    root.replaceChildren(element("style", "", css), back);
  };

  let assets;
  const take = (status) => {
    if (untilServing && status.serving) return location.reload();
    if (assets !== undefined && assets.split("-")[0] === status.assets.split("-")[0] && assets !== status.assets) return location.reload();
    assets = status.assets;
    if (status.problems.length > 0) show(status);
    else { dismissed = ""; hide(); }
  };

  // Browsers allow few connections per server: a hidden tab gives its own back.
  let events;
  const listen = () => {
    if (document.visibilityState === "hidden") { events?.close(); events = undefined; return; }
    if (events) return;
    events = new EventSource(new URL("events", base));
    events.onmessage = (e) => take(JSON.parse(e.data));
  };
  document.addEventListener("visibilitychange", listen);
  addEventListener("pagehide", () => { events?.close(); events = undefined; });
  addEventListener("pageshow", listen);
  listen();
})();
