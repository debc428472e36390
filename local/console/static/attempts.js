import { useState } from "preact/hooks";

import { html } from "./html.js";
import { useNow } from "./now.js";

const SHOWN = 50;
const COLUMNS = ["Time", "Charger", "Token", "State", "Outcome", "Tries", "Milliseconds in each step"];

/** The attempts, updated live, newest first. */
export function Attempts({ all }) {
  const newest = [...all.values()].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1)).slice(0, SHOWN);
  const longest = Math.max(1, ...newest.map((attempt) => sum(attempt.milliseconds)));
  return html`
    <section class="attempts" aria-labelledby="attempts-title">
      <h2 id="attempts-title">Attempts</h2>
      ${newest.length === 0 && html`<p class="soft">No attempts yet. Requests of every client appear here.</p>`}
      ${newest.length > 0 &&
      html`
        <div class="list">
          <table role="table" aria-labelledby="attempts-title">
            <thead role="rowgroup">
              <tr role="row">${COLUMNS.map((column) => html`<th role="columnheader" scope="col">${column}</th>`)}</tr>
            </thead>
            <tbody role="rowgroup">${newest.map((attempt) => html`<${Row} key=${attempt.id} attempt=${attempt} longest=${longest} />`)}</tbody>
          </table>
        </div>
      `}
    </section>
  `;
}

function Row({ attempt, longest }) {
  const [open, setOpen] = useState(false);
  const { id, chargerId, token, state, outcome, tries, createdAt } = attempt;
  const kind = state === "completed" ? outcome : state;
  const time = new Date(createdAt).toLocaleTimeString([], { hour12: false });
  return html`
    <tr role="row" class=${`attempt is-${kind}`} data-attempt=${id}>
      <td role="cell"><button type="button" class="twist" aria-expanded=${open} onClick=${() => setOpen(!open)}><span class="hidden">Details of the attempt at </span>${time}</button></td>
      <td role="cell">${chargerId}</td>
      <td role="cell" class="token">${token ?? html`<span class="soft">none</span>`}</td>
      <td role="cell"><span class="badge ${kind}">${state}</span></td>
      <td role="cell" class="outcome-cell">${describeOutcome(attempt)}</td>
      <td role="cell">${tries}<span class="soft" aria-hidden="true"> ${tries === 1 ? "try" : "tries"}</span></td>
      <td role="cell"><${Steps} attempt=${attempt} longest=${longest} /></td>
    </tr>
    ${open &&
    html`<tr role="row" class="details"><td role="cell" colspan=${COLUMNS.length}>
      <p class="soft">GET /api/v1/ocpp/charger-connect/${id}</p>
      <pre tabindex="0" role="region" aria-label="The attempt as the API returns it">${JSON.stringify(attempt, null, 2)}</pre>
    </td></tr>`}
  `;
}

function describeOutcome({ answer, problem }) {
  if (answer) return html`${answer.status} <span class="soft">${answer.info}</span>`;
  return problem ? problem.type : "";
}

function Steps({ attempt: { state, milliseconds, createdAt }, longest }) {
  if (state === "pending") return html`<${Running} since=${createdAt} />`;
  const steps = Object.entries(milliseconds ?? {});
  if (steps.length === 0) return "";
  // The width is proportional to the square root, so that 4 ms stay visible beside 20 s.
  const width = (took) => `${Math.max(2, 60 * Math.sqrt(took / longest))}%`;
  return html`
    <span class="steps">
      ${steps.map(([step, took]) => html`<span class="step ${step}" style=${{ width: width(took) }} aria-hidden="true"></span>`)}
      <span class="times">${steps.map(([step, took]) => `${step} ${took}`).join(" · ")} ms</span>
    </span>
  `;
}

function Running({ since }) {
  const now = useNow(true, 100);
  return html`<span class="steps running"><span class="times">${Math.max(0, (now - new Date(since)) / 1000).toFixed(1)} s</span></span>`;
}

function sum(milliseconds) {
  return Object.values(milliseconds ?? {}).reduce((total, one) => total + one, 0);
}
