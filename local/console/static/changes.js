import { html } from "./html.js";

/** The events that a deployment publishes on its bus for changes of attempts, newest first. */
export function Changes({ all }) {
  return html`
    <section class="messages" aria-labelledby="changes-title">
      <h2 id="changes-title">Events</h2>
      ${all.length === 0 && html`<p class="soft">No events yet. A deployment publishes them on its EventBus.</p>`}
      ${all.length > 0 &&
      html`<ol tabindex="0" role="list" aria-labelledby="changes-title">
        ${all.map((event) => html`<${Line} key=${event.detail.id + event.detail.updatedAt} detail=${event.detail} />`)}
      </ol>`}
    </section>
  `;
}

function Line({ detail: { id, chargerId, state, previousState, outcome, transaction, updatedAt } }) {
  const known = [outcome, ...transaction.map((one) => `transaction ${one.id.S}`)].filter(Boolean);
  return html`
    <li>
      <time class="soft">${new Date(updatedAt).toLocaleTimeString([], { hour12: false })}</time>
      <span class="way">${chargerId.S}</span>
      <span class="what">${previousState} <span aria-hidden="true">→</span><span class="hidden">to</span> <b>${state}</b> <span class="soft">${known.join(", ")} ${id}</span></span>
    </li>
  `;
}
