// The request in each format, and what an answer says.

const PATH = "/api/v1/ocpp/charger-connect";
const NAMESPACE = "http://schemas.datacontract.org/2004/07/IO.Swagger.Models";
const FORM = "application/x-www-form-urlencoded";

export const FORMATS = {
  "application/json": "JSON",
  "text/json": "text/json",
  "application/xml": "XML",
  "text/xml": "text/xml",
  [FORM]: "Form",
};

export const ACCEPTS = ["application/json", "text/json", "application/xml", "text/xml", "*/*"];

/** The HTTP request for `fields` (names as on the wire; empty ones are left out) in a media type; without `accept` the answer
    is asked for in the same. */
export function build(fields, contentType, accept, connectorId) {
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));
  const path = connectorId ? `${PATH}?connectorId=${encodeURIComponent(connectorId)}` : PATH;
  const headers = { "Content-Type": contentType, Accept: accept || (contentType === FORM ? ACCEPTS[0] : contentType) };
  return { path, headers, body: write(given, contentType) };
}

function write(given, contentType) {
  if (contentType === FORM) return new URLSearchParams(given).toString();
  if (contentType.endsWith("xml")) return writeXml(given);
  const port = Number(given.serverRestApiPort);
  const members = Number.isInteger(port) && given.serverRestApiPort ? { ...given, serverRestApiPort: port } : given;
  return JSON.stringify(members, null, 2);
}

// DataContractSerializer reads members in the order of their names, and passes over those that come late.
function writeXml(given) {
  const lines = Object.keys(given)
    .sort()
    .map((name) => `  <${name}>${escaped(String(given[name]))}</${name}>\n`);
  return `<OcppChargerConnectRequest xmlns="${NAMESPACE}">\n${lines.join("")}</OcppChargerConnectRequest>`;
}

function escaped(text) {
  return text.replace(/[&<>]/g, (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[character]);
}

/** The request as it leaves. */
export function rawRequest({ path, headers, body }) {
  return `POST ${path} HTTP/1.1\nHost: ${location.host}\n${lined(Object.entries(headers))}\n${body}`;
}

/** The response as it came. */
export function rawResponse({ status, statusText, headers, body }) {
  return `HTTP/1.1 ${status} ${statusText}\n${lined(headers)}\n${body}`;
}

function lined(headers) {
  return headers.map(([name, value]) => `${name}: ${value}\n`).join("");
}

/** The same request for a shell. */
export function curl({ path, headers, body }) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const options = Object.entries(headers).map(([name, value]) => `  -H ${quoted(`${name}: ${value}`)} \\\n`);
  return `curl -i ${quoted(location.origin + path)} \\\n${options.join("")}  -d ${quoted(body)}`;
}

/** Sends it; the answer with its headers, and the milliseconds until it was read. */
export async function send({ path, headers, body }) {
  const began = performance.now();
  const answer = await fetch(path, { method: "POST", headers, body });
  const text = await answer.text();
  const { status, statusText } = answer;
  return { status, statusText, headers: [...answer.headers], body: text, took: Math.round(performance.now() - began) };
}

/** What an answer means: its `kind` (of badge) and a sentence. */
export function meaning({ status, headers, body }) {
  const header = Object.fromEntries(headers);
  const said = parse(body, header["content-type"] ?? "");
  if (status !== 200) {
    const kind = { 409: "pending", 504: said.outcome === "unknown" ? "unknown" : "failed" }[status] ?? "failed";
    const faults = (said.errors ?? []).map(({ field, message }) => ` ${field} ${message}.`).join("");
    return { kind, word: said.title ?? said.message ?? "No document", sentence: (said.detail ?? "") + faults };
  }
  const again = header["idempotent-replayed"] ? " Told again: nothing was started a second time." : "";
  const outcome = header["connect-outcome"];
  const about = said.info ? ` (${said.info})` : "";
  const sentences = {
    accepted: `${said.chargerId} said that it will try.`,
    rejected: `The start was declined${about}; nothing was started.`,
    offline: `${said.chargerId} is not connected${about}; nothing was sent.`,
    status: `How ${said.chargerId} is; nothing was to be started.`,
  };
  return { kind: outcome, word: said.status, sentence: (sentences[outcome] ?? "") + again };
}

function parse(body, contentType) {
  if (contentType.includes("json")) {
    try {
      return JSON.parse(body);
    } catch {
      return {};
    }
  }
  return object(new DOMParser().parseFromString(body, "text/xml").documentElement);
}

function object(element) {
  const present = [...element.children].filter((child) => child.childNodes.length);
  return Object.fromEntries(present.map((child) => [child.localName, value(child)]));
}

// A list has members of the name `i` (RFC 9457, appendix B).
function value(element) {
  const members = [...element.children].filter((child) => child.localName === "i");
  return members.length ? members.map(object) : element.textContent;
}
