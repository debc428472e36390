import { html } from "./html.js";

const SHOWN = 40;

/** The OCPP messages between the chargers and their server, newest first, without empty answers. */
export function Messages({ byCharger }) {
  const all = Object.entries(byCharger).flatMap(([charger, messages]) => messages.map((message, at) => ({ ...message, charger, at })));
  const nonEmpty = all.filter(({ kind, payload }) => kind !== "result" || Object.keys(payload).length > 0);
  const newest = nonEmpty.sort((a, b) => (a.time === b.time ? b.at - a.at : a.time < b.time ? 1 : -1)).slice(0, SHOWN);
  return html`
    <section class="messages" aria-labelledby="messages-title">
      <h2 id="messages-title">OCPP messages</h2>
      <ol tabindex="0" role="list" aria-labelledby="messages-title">
        ${newest.map((message) => html`<${Line} key=${JSON.stringify(message)} message=${message} />`)}
      </ol>
    </section>
  `;
}

function Line({ message: { charger, sent, action, kind, payload, time } }) {
  return html`
    <li class=${kind}>
      <time class="soft">${new Date(time).toLocaleTimeString([], { hour12: false })}</time>
      <span class="way"><span class="hidden">${sent ? "from" : "to"} </span>${charger}<span class=${sent ? "arrow sent" : "arrow"} aria-hidden="true">${sent ? "→" : "←"}</span></span>
      <span class="what"><b>${action}</b>${kind === "call" ? "" : kind === "error" ? " error" : " answer"} <span class="soft">${brief(payload)}</span></span>
    </li>
  `;
}

// The status comes first. The time is in its own column.
function brief(payload) {
  if (typeof payload === "string") return payload;
  const { timestamp, currentTime, status, connectorStatus, eventType, ...rest } = payload;
  const text = JSON.stringify({ status, connectorStatus, eventType, ...rest });
  return text.slice(1, -1).replaceAll('"', "").replaceAll(",", ", ").replaceAll(":", ": ");
}
