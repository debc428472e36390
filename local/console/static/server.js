import { html } from "./html.js";
import { sendCommand } from "./live.js";
import { useNow } from "./now.js";

/** The state of the OCPP server's process, and a button that kills it. */
export function Server({ server, stack }) {
  const { running, pid, restart, at } = server;
  const now = useNow(!running, 200);
  const left = Math.max(0, Math.ceil(restart - (now - at) / 1000));
  const name = stack && stack.dialect !== "native" ? `OCPP server (${stack.dialect})` : "OCPP server";
  return html`
    <div class="server">
      <p class=${running ? "light on" : "light off"}>
        ${name} <span class="soft">${running ? `runs, process ${pid}` : `ended, restart in ${left} s`}</span>
      </p>
      <button type="button" class="danger" aria-disabled=${!running} onClick=${() => running && sendCommand("kill-ocpp-server", {})}>
        Kill<span class="hidden"> the OCPP server</span>
      </button>
    </div>
  `;
}
