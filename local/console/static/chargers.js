import { useRef } from "preact/hooks";

import { html } from "./html.js";
import { sendCommand } from "./live.js";

const CHOICES = { accept: "Accept", reject: "Reject", silent: "Silent", late: "Late", offline: "Offline" };
const SPECIAL = { drop: "Drop", "not-supported": "Error", fail: "Fail" };
const REMARKS = {
  late: "Begins the charge at once and answers the start 25 s later.",
  drop: "Accepts a start and closes its WebSocket before it answers.",
  "not-supported": "Answers with a CALLERROR, NotSupported.",
  fail: "Answers with a CALLERROR, InternalError.",
};
const KINDS = {
  Available: "ok",
  Preparing: "busy",
  Charging: "busy charging",
  SuspendedEV: "busy",
  SuspendedEVSE: "busy",
  Occupied: "busy",
  Finishing: "busy",
  Faulted: "failed",
};

/** The charge points as cards, with their state and their behaviour. */
export function ChargePoints({ all, chosen, choose }) {
  return html`
    <section class="chargers" aria-labelledby="chargers-title">
      <h2 id="chargers-title">Chargers</h2>
      <ul class="cards">
        ${all.map((one) => html`<${Card} key=${one.chargerId} one=${one} chosen=${one.chargerId === chosen} choose=${choose} />`)}
      </ul>
    </section>
  `;
}

function Card({ one, chosen, choose }) {
  const { chargerId, version, connected, connectors, starts } = one;
  return html`
    <li class=${chosen ? "card chosen" : "card"} data-charger=${chargerId}>
      <div class="card-head">
        <h3><button type="button" class="name" aria-pressed=${chosen} onClick=${() => choose(chargerId)}>${chargerId}</button></h3>
        <span class="soft">OCPP ${version}</span>
        <span class=${connected ? "light on" : "light off"}>${connected ? "connected" : "not connected"}</span>
      </div>
      <p class="connectors">
        ${connected
          ? connectors.map(
              ({ connectorId, status }) => html`
                <span class="badge ${KINDS[status] ?? "offline"}"><span class=${connectors.length > 1 ? "soft" : "hidden"}>connector ${connectorId} </span>${status}</span>
              `,
            )
          : html`<span class="badge offline">Unavailable</span>`}
        <span class="starts soft">${starts === undefined ? "" : starts === 1 ? "1 start received" : `${starts} starts received`}</span>
      </p>
      <${Behaviour} one=${one} />
      <${Remark} one=${one} />
    </li>
  `;
}

function Behaviour({ one: { chargerId, online, reaction } }) {
  const first = useRef(reaction); // a charger that starts with a special reaction can get it back
  const choices = first.current in SPECIAL ? { ...CHOICES, [first.current]: SPECIAL[first.current] } : CHOICES;
  const set = (choice) =>
    sendCommand("charge-point", choice === "offline" ? { chargerId, online: false, reaction } : { chargerId, online: true, reaction: choice });
  return html`
    <fieldset class="segments">
      <legend class="hidden">Behaviour of ${chargerId}</legend>
      ${Object.entries(choices).map(
        ([choice, label]) => html`
          <label>
            <input type="radio" name=${`behaviour-${chargerId}`} value=${choice} checked=${choice === (online ? reaction : "offline")} onChange=${() => set(choice)} />
            <span>${label}</span>
          </label>
        `,
      )}
    </fieldset>
  `;
}

function Remark({ one: { delay, cable, busy, reaction, online } }) {
  const remarks = [
    online && REMARKS[reaction],
    delay > 0 && `Answers after ${delay} s.`,
    !cable && "No cable is plugged in.",
    busy.length > 0 && `Connector ${busy.join(", ")} charges another driver's car.`,
  ].filter(Boolean);
  return remarks.length > 0 && html`<p class="remark soft">${remarks.join(" ")}</p>`;
}
