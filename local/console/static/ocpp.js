import { html } from "./html.js";

const SHOWN = 40;

/** The OCPP messages between the chargers and their server, the newest first, without answers that say nothing. */
export function Messages({ byCharger }) {
  const all = Object.entries(byCharger).flatMap(([charger, messages]) => messages.map((message, at) => ({ ...message, charger, at })));
  const telling = all.filter(({ kind, payload }) => kind !== "result" || Object.keys(payload).length > 0);
  const newest = telling.sort((a, b) => (a.time === b.time ? b.at - a.at : a.time < b.time ? 1 : -1)).slice(0, SHOWN);
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

// What a message is about comes first; when it was said stands beside it.
function brief(payload) {
  if (typeof payload === "string") return payload;
  const { timestamp, currentTime, status, connectorStatus, eventType, ...rest } = payload;
  const text = JSON.stringify({ status, connectorStatus, eventType, ...rest });
  return text.slice(1, -1).replaceAll('"', "").replaceAll(",", ", ").replaceAll(":", ": ");
}
