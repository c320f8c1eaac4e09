// SPDX-License-Identifier: MIT
// Ranges of births: what was allocated in a range of time, known to an epoch of the dump.

/** The times at which a range can begin or end, in seconds since the dump's start. */
export function boundsOf(epochs) {
    return [...new Set(epochs.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
}

/** Widens a range to the bounds around it; null if it is not within them, or all of them. */
export function widen(bounds, range) {
    const last = bounds.length - 1;
    if (last < 1 || !(range.from < range.to) || range.to <= bounds[0] || range.from >= bounds[last]) return null;
    const from = bounds.filter((bound) => bound <= range.from).pop() ?? bounds[0];
    const to = bounds.find((bound) => bound >= range.to) ?? bounds[last];
    return from === bounds[0] && to === bounds[last] ? null : { from, to };
}

/** `12.5..30`, as in an address; empty for all times. */
export function writeRange(range) {
    return range ? `${range.from}..${range.to}` : "";
}

export function readRange(text) {
    const [from, to] = text.split("..").map(Number);
    return text && from < to ? { from, to } : null;
}

/** Which epochs the range touches, by number. */
function chosenEpochs(data, range) {
    return data.epochs.map(({ from, to }) => from < range.to && to > range.from);
}

/** Whether a view is limited to a range: that of temporary blocks is of all times. */
export function isLimited(view) {
    return view.born !== null && view.moment !== "temporary";
}

/** Bytes and blocks of each entry of a tree that were born in the view's range; null if it has none. */
export function sumBirths(data, tree, view) {
    const { born: range, moment } = view;
    if (!isLimited(view)) return null;
    const chosen = chosenEpochs(data, range);
    const step = 2 + 2 * data.moments.length;
    const column = 2 + 2 * Math.max(0, data.moments.indexOf(moment));
    const sums = new Float64Array(tree.entries.length);
    for (let at = 0; at < tree.births.length; at += step) {
        if (!chosen[tree.births[at + 1]]) continue;
        sums[2 * tree.births[at]] += tree.births[at + column];
        sums[2 * tree.births[at] + 1] += tree.births[at + column + 1];
    }
    return sums;
}
