// SPDX-License-Identifier: MIT
// Chooses the colour of a frame: by the origin of its code or, in a comparison, by growth.
import { OWN } from "./data.js";

const NATIVE = { name: "native", title: "native code", hue: 275, saturation: 45 };

/** A Python frame is of the first kind whose pattern matches its file. */
const KINDS = [
    { name: "interpreter", title: "importlib and built-in modules", hue: 215, saturation: 22, matches: /^<frozen|\/importlib\// },
    { name: "packages", title: "installed packages", hue: 165, saturation: 45, matches: /\/(site|dist)-packages\// },
    { name: "library", title: "standard library", hue: 46, saturation: 85, matches: /\/python\d[\d.]*\/|\/python\d+\.zip/ },
    { name: "unknown", title: "no Python frame", hue: 0, saturation: 0, matches: /^<unknown>$|^<overflow>$|^$/ },
    { name: "program", title: "the program", hue: 18, saturation: 82, matches: /./s },
];

function spread(text) {
    let hash = 0;
    for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
    return (hash >>> 0) % 1000 / 1000;
}

function kindOf(frame) {
    return frame.native ? NATIVE : KINDS.find((kind) => kind.matches.test(frame.file));
}

function kindColour(frame) {
    const kind = kindOf(frame);
    const byFile = spread(frame.file);
    const byName = spread(frame.name);
    return `hsl(${kind.hue + 14 * (byFile - 0.5)} ${kind.saturation}% ${64 + 14 * byName}%)`;
}

const GROWN = [214, 60, 48];
const SHRUNK = [42, 110, 190];
const SAME = [214, 214, 210];

function mix(from, to, part) {
    return `rgb(${from.map((value, i) => Math.round(value + (to[i] - value) * part)).join()})`;
}

/** The colour is most saturated if all of the node is new or all of it was freed. */
function growthColour(node, measure) {
    const now = node.now[measure];
    const old = node.old[measure];
    const part = (now - old) / Math.max(now, old, 1);
    return mix(SAME, part > 0 ? GROWN : SHRUNK, Math.sqrt(Math.abs(part)));
}

const HIGHLIGHT = "#d81bd8";
const known = new Map();

export function colourOf(node, highlighted, compared, measure) {
    if (highlighted) return HIGHLIGHT;
    if (compared) return growthColour(node, measure);
    if (node.frame.own) return node.frame.number === OWN.all ? "hsl(0 0% 78%)" : "hsl(0 0% 86%)";
    if (!known.has(node.frame)) known.set(node.frame, kindColour(node.frame));
    return known.get(node.frame);
}

/** Entries of the legend for the kinds of these frames. */
export function kindEntries(frames) {
    const present = new Set(frames.filter((frame) => !frame.own).map(kindOf));
    return [NATIVE, ...KINDS]
        .filter((kind) => present.has(kind))
        .reverse()
        .map((kind) => ({ title: kind.title, colour: `hsl(${kind.hue} ${kind.saturation}% 71%)` }));
}

export const GROWTH_KINDS = [
    { title: "grown", colour: mix(SAME, GROWN, 1) },
    { title: "unchanged", colour: mix(SAME, SAME, 0) },
    { title: "shrunk", colour: mix(SAME, SHRUNK, 1) },
];
