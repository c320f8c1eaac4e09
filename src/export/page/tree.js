// SPDX-License-Identifier: MIT
// Builds the tree that is drawn: one measure at one point in time, without hidden frames and domains.
import { sumBirths } from "./births.js";
import { OWN, columnsOf } from "./data.js";

/** The text is a glob if it has wildcards, else a part of the name or of the file. */
function patternOf(text) {
    if (!/[*?]/.test(text)) {
        const part = text.toLowerCase();
        return (frame) => frame.searched.includes(part) || frame.place.toLowerCase().includes(part);
    }
    const source = text.replace(/[.+^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*").replace(/\?/g, ".");
    const glob = new RegExp(`^${source}$`, "s");
    return (frame) => glob.test(frame.file) || glob.test(frame.name);
}

/** For each frame, whether it is removed from the stacks. */
function hiddenFrames(data, view) {
    const patterns = view.hide.split(",").map((p) => p.trim()).filter(Boolean).map(patternOf);
    if (view.imports) patterns.push((frame) => frame.imports);
    if (patterns.length === 0) return null;
    return data.frames.map((frame) => !frame.own && patterns.some((matches) => matches(frame)));
}

/** Two 32-bit hashes, for keys of nodes that are the same in every page. */
function hashText(text) {
    let one = 0x811c9dc5;
    let two = 0x9747b28c;
    for (let i = 0; i < text.length; i++) {
        one = Math.imul(one ^ text.charCodeAt(i), 0x01000193);
        two = Math.imul(two ^ text.charCodeAt(i), 0x5bd1e995);
    }
    return [one >>> 0, two >>> 0];
}

function keyOf(parent, frame) {
    const [one, two] = hashText(`${parent}/${frame.name}@${frame.place}`);
    return one.toString(36) + two.toString(36);
}

/** `now` and `old`: sums of each measure, in the order of data.measures. */
function makeNode(frame, parent) {
    return { frame, name: frame.label, parent, key: "", children: [], byFrame: null, value: 0, now: [0, 0, 0], old: [0, 0, 0] };
}

function childOf(parent, frame, merging, nodes) {
    if (merging) {
        parent.byFrame = parent.byFrame || new Map();
        const known = parent.byFrame.get(frame.number);
        if (known) return known;
    }
    const node = makeNode(frame, parent);
    parent.children.push(node);
    if (merging) parent.byFrame.set(frame.number, node);
    nodes.push(node);
    return node;
}

/** Parents are before their children. Returns the drawn node of each node of the data. */
function makeNodes(data, tree, hidden, nodes) {
    const drawn = new Array(tree.parents.length);
    drawn[0] = makeNode(data.frames[OWN.all], null);
    nodes.push(drawn[0]);
    for (let i = 1; i < tree.parents.length; i++) {
        const parent = drawn[tree.parents[i]];
        const frame = data.frames[tree.frames[i]];
        drawn[i] = hidden && hidden[frame.number] ? parent : childOf(parent, frame, hidden !== null, nodes);
    }
    return drawn;
}

function addEntries(data, tree, view, drawn) {
    const columns = columnsOf(data, view.moment);
    const measure = data.measures.indexOf(view.measure);
    const births = sumBirths(data, tree, view);
    for (let i = 0; i < tree.entries.length / 2; i++) {
        if (!view.domains.has(tree.entries[2 * i + 1])) continue;
        const node = drawn[tree.entries[2 * i]];
        const at = i * data.columns;
        columns.forEach((column, m) => {
            // Allocations are of all times: a dump has no births of what was freed.
            const now = births && m < 2 ? births[2 * i + m] : tree.values[at + column];
            const old = data.compared ? tree.values[at + data.side + column] : 0;
            node.now[m] += now;
            node.old[m] += old;
            // A node that shrank keeps its old width, so that the decrease is visible.
            if (m === measure) node.value += Math.max(now, old);
        });
    }
}

function addUp(nodes) {
    for (let i = nodes.length - 1; i > 0; i--) {
        const { parent } = nodes[i];
        parent.value += nodes[i].value;
        for (let m = 0; m < 3; m++) {
            parent.now[m] += nodes[i].now[m];
            parent.old[m] += nodes[i].old[m];
        }
    }
}

/** Sorts children by width, with `other` last, and removes those without width. */
function arrange(nodes) {
    const rank = (node) => (node.frame.number === OWN.other ? -1 : node.value);
    for (const node of nodes) {
        node.byFrame = null;
        node.children = node.children.filter((child) => child.value > 0).sort((a, b) => rank(b) - rank(a));
        for (const child of node.children) child.key = keyOf(node.key, child.frame);
    }
}

/** The root of the tree of a view (see state.js). */
export function buildTree(data, view, direction = view.inverted ? "callers" : "calls") {
    const tree = data.trees[direction];
    const nodes = [];
    const drawn = makeNodes(data, tree, hiddenFrames(data, view), nodes);
    addEntries(data, tree, view, drawn);
    addUp(nodes);
    arrange(nodes);
    return nodes[0];
}

/** Calls `visit` for a node and its descendants, except those of a node for which it returns true. */
export function walk(root, visit) {
    const open = [root];
    while (open.length > 0) {
        const node = open.pop();
        if (!visit(node)) open.push(...node.children);
    }
}

export function matcherOf(text) {
    const part = text.trim().toLowerCase();
    if (part === "") return null;
    const inPlace = /[/:]|\.py$/.test(part);
    return (frame) => !frame.own && (frame.searched.includes(part) || (inPlace && frame.place.toLowerCase().includes(part)));
}

/** Sums of each measure over the stacks that hold a match, each stack once. */
export function sumMatches(root, matches) {
    const sums = [0, 0, 0];
    walk(root, (node) => {
        const found = matches(node.frame);
        if (found) node.now.forEach((value, m) => (sums[m] += value));
        return found;
    });
    return sums;
}

/** Bytes of each domain at the view's point in time, by its index in data.domains. */
export function sumDomains(data, view) {
    const [column] = columnsOf(data, view.moment);
    const tree = data.trees.calls;
    const births = sumBirths(data, tree, view);
    const sums = data.domains.map(() => 0);
    for (let i = 0; i < tree.entries.length / 2; i++) {
        sums[tree.entries[2 * i + 1]] += births ? births[2 * i] : tree.values[i * data.columns + column];
    }
    return sums;
}

/** What the tree holds in `other`, by measure. */
export function sumFolded(root) {
    return sumMatches(root, (frame) => frame.number === OWN.other);
}

export function findByKey(root, key) {
    let found = null;
    walk(root, (node) => {
        if (node.key === key) found = node;
        return found !== null;
    });
    return found;
}

export function depthOf(root) {
    const depths = new Map([[root, 1]]);
    let deepest = 1;
    walk(root, (node) => {
        const depth = depths.get(node.parent) + 1 || 1;
        depths.set(node, depth);
        deepest = Math.max(deepest, depth);
        return false;
    });
    return deepest;
}
