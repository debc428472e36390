import { html } from "./html.js";
import { order } from "./live.js";
import { useNow } from "./now.js";

/** The OCPP server's process, and the switch that kills it. */
export function Server({ server, stack }) {
  const { running, pid, away, at } = server;
  const now = useNow(!running, 200);
  const left = Math.max(0, Math.ceil(away - (now - at) / 1000));
  const name = stack && stack.dialect !== "native" ? `OCPP server (${stack.dialect})` : "OCPP server";
  return html`
    <div class="server">
      <p class=${running ? "light on" : "light off"}>
        ${name} <span class="soft">${running ? `runs, process ${pid}` : `killed, back in ${left} s`}</span>
      </p>
      <button type="button" class="danger" aria-disabled=${!running} onClick=${() => running && order("kill-ocpp-server", {})}>
        Kill<span class="hidden"> the OCPP server</span>
      </button>
    </div>
  `;
}
