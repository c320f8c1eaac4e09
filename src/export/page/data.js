// SPDX-License-Identifier: MIT
// Reads the data of the dump, which the command wrote into the page (see page_data.h).

const WORDS = { measures: ["bytes", "blocks", "allocations"] };

/** Numbers of the frames that the page adds to those of the dump. */
export const OWN = { all: 0, other: 1, cut: 2 };

/** The frame of stacks without frames: its file in the dump, and its name in the page. */
const UNKNOWN = "<unknown>";
const UNKNOWN_NAME = "no Python frame (start-up, C threads)";

function readTree(tree) {
    return {
        share: tree.share / 1e6,
        parents: Uint32Array.from(tree.parents),
        frames: Uint32Array.from(tree.frames),
        entries: Uint32Array.from(tree.entries),
        values: Float64Array.from(tree.values),
        births: Float64Array.from(tree.births || []),
    };
}

function baseName(path) {
    return path.slice(path.lastIndexOf("/") + 1) || path;
}

/** The frames with their names; `searched` is the text that a search compares, in lower case. */
function readFrames(json) {
    const frames = [];
    const natives = new Set(json.native);
    const imports = new Set(json.imports);
    for (let at = 0; at < json.frames.length; at += 3) {
        const number = at / 3;
        const file = json.names[json.frames[at]];
        const unknown = file === UNKNOWN;
        const name = unknown ? UNKNOWN_NAME : json.names[json.frames[at + 1]];
        const line = json.frames[at + 2];
        const place = unknown ? UNKNOWN_NAME : line > 0 ? `${file}:${line}` : file;
        frames.push({
            number,
            file,
            line,
            place,
            own: number <= OWN.cut,
            native: natives.has(number),
            imports: imports.has(number),
            name: name || baseName(file),
            label: name && file && !unknown ? `${name} ${baseName(place)}` : name || baseName(place),
            source: json.sources ? json.sources[number] : "",
            searched: (name || baseName(file)).toLowerCase(),
        });
    }
    return frames;
}

/** When each epoch begins and ends, in seconds since the dump's start. */
function readEpochs(numbers) {
    const epochs = [];
    for (let at = 0; at < numbers.length; at += 2) epochs.push({ from: numbers[at] / 1000, to: numbers[at + 1] / 1000 });
    return epochs;
}

/** Columns of an entry's values: bytes and blocks at each point in time, then the allocations. */
export function columnsOf(data, moment) {
    const at = 2 * Math.max(0, data.moments.indexOf(moment));
    return [at, at + 1, 2 * data.moments.length];
}

export function readData(text) {
    const json = JSON.parse(text);
    const side = 2 * json.moments.length + 1;
    return {
        ...json,
        measures: WORDS.measures,
        compared: Boolean(json.old),
        side,
        columns: json.old ? 2 * side : side,
        frames: readFrames(json),
        epochs: readEpochs(json.epochs),
        trees: { calls: readTree(json.trees.calls), callers: readTree(json.trees.callers) },
    };
}
