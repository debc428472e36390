// Templates without a build step: htm's tagged literals, rendered by Preact.
import htm from "htm";
import { h } from "preact";

export const html = htm.bind(h);
