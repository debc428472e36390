// Write the request in each format, and describe the response.

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

/** Return the HTTP request for `fields` (with the wire's names; empty ones are omitted) in a media type. Without `accept`, it
    requests the response in the same media type. */
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
  const fields = Number.isInteger(port) && given.serverRestApiPort ? { ...given, serverRestApiPort: port } : given;
  return JSON.stringify(fields, null, 2);
}

// DataContractSerializer requires the elements in alphabetical order, and ignores those that are out of order.
function writeXml(given) {
  const lines = Object.keys(given)
    .sort()
    .map((name) => `  <${name}>${escaped(String(given[name]))}</${name}>\n`);
  return `<OcppChargerConnectRequest xmlns="${NAMESPACE}">\n${lines.join("")}</OcppChargerConnectRequest>`;
}

function escaped(text) {
  return text.replace(/[&<>]/g, (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[character]);
}

/** Return the request as it is sent. */
export function rawRequest({ path, headers, body }) {
  return `POST ${path} HTTP/1.1\nHost: ${location.host}\n${headerLines(Object.entries(headers))}\n${body}`;
}

/** Return the response as it was received. */
export function rawResponse({ status, statusText, headers, body }) {
  return `HTTP/1.1 ${status} ${statusText}\n${headerLines(headers)}\n${body}`;
}

function headerLines(headers) {
  return headers.map(([name, value]) => `${name}: ${value}\n`).join("");
}

/** Return the request as a curl command. */
export function curl({ path, headers, body }) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const options = Object.entries(headers).map(([name, value]) => `  -H ${quoted(`${name}: ${value}`)} \\\n`);
  return `curl -i ${quoted(location.origin + path)} \\\n${options.join("")}  -d ${quoted(body)}`;
}

/** Send the request. Return the response with its headers, and the milliseconds until it was read. */
export async function send({ path, headers, body }) {
  const began = performance.now();
  const response = await fetch(path, { method: "POST", headers, body });
  const text = await response.text();
  const { status, statusText } = response;
  return { status, statusText, headers: [...response.headers], body: text, took: Math.round(performance.now() - began) };
}

/** Describe a response: the `kind` of its badge, a word and a sentence. */
export function describeResponse({ status, headers, body }) {
  const header = Object.fromEntries(headers);
  const fields = parse(body, header["content-type"] ?? "");
  if (status !== 200) {
    const kind = { 409: "pending", 504: fields.outcome === "unknown" ? "unknown" : "failed" }[status] ?? "failed";
    const faults = (fields.errors ?? []).map(({ field, message }) => ` ${field} ${message}.`).join("");
    return { kind, word: fields.title ?? fields.message ?? "No problem document", sentence: (fields.detail ?? "") + faults };
  }
  const replayed = header["idempotent-replayed"] ? " The stored answer was returned: nothing was started a second time." : "";
  const outcome = header["connect-outcome"];
  const info = fields.info ? ` (${fields.info})` : "";
  const sentences = {
    accepted: `${fields.chargerId} accepted the start.`,
    rejected: `The start was rejected${info}. Nothing was started.`,
    offline: `${fields.chargerId} is not connected${info}. Nothing was sent.`,
    status: `The status of ${fields.chargerId}. No start was requested.`,
  };
  return { kind: outcome, word: fields.status, sentence: (sentences[outcome] ?? "") + replayed };
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

// The elements of a list are named `i` (RFC 9457, appendix B).
function value(element) {
  const items = [...element.children].filter((child) => child.localName === "i");
  return items.length ? items.map(object) : element.textContent;
}
