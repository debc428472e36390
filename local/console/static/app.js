import { render } from "preact";
import { useEffect, useState } from "preact/hooks";

import { Attempts } from "./attempts.js";
import { Changes } from "./changes.js";
import { ChargePoints } from "./chargers.js";
import { Connect } from "./connect.js";
import { html } from "./html.js";
import { useLive } from "./live.js";
import { Messages } from "./ocpp.js";
import { Server } from "./server.js";

function Console() {
  const live = useLive();
  const [charger, choose] = useState("CP-1");
  return html`
    <a class="skip" href="#connect">Skip to the form</a>
    <header class="top">
      <p class="brand"><img src="/console/icon.svg" alt="" width="28" height="28" />Charger Connect</p>
      <nav aria-label="Pages"><a href="/" aria-current="page">Console</a><a href="/docs">API help</a></nav>
      ${live.server && html`<${Server} server=${live.server} stack=${live.stack} />`}
    </header>
    <p class=${live.connected ? "gone hidden" : "gone"} role="alert">
      ${!live.connected && "The stack does not respond. This page continues when it is running again."}
    </p>
    <main>
      <h1 class="hidden">Console of the local stack</h1>
      <${ChargePoints} all=${live.chargePoints} chosen=${charger} choose=${choose} />
      ${live.stack && html`<${Connect} all=${live.chargePoints} stack=${live.stack} charger=${charger} choose=${choose} />`}
      <${Attempts} all=${live.attempts} />
      <${Messages} byCharger=${live.messages} />
      <${Changes} all=${live.changes} />
      <${Notice} text=${live.notice} />
    </main>
  `;
}

/** A notice that a process ended or restarted, shown for a few seconds. */
function Notice({ text }) {
  const [shown, show] = useState("");
  useEffect(() => {
    show(text);
    const timer = setTimeout(show, 6000, "");
    return () => clearTimeout(timer);
  }, [text]);
  return html`<p class="notice" role="status">${shown && html`<span>${shown[0].toUpperCase() + shown.slice(1)}</span>`}</p>`;
}

render(html`<${Console} />`, document.getElementById("console"));
