// SPDX-License-Identifier: MIT
// Connects the parts of the page: the controls change the view, and the view is drawn.
import "uplot/dist/uPlot.min.css";
import { isLimited } from "./births.js";
import { makeBorn } from "./born.js";
import { makeChart } from "./chart.js";
import { GROWTH_KINDS, kindEntries } from "./colours.js";
import { readData } from "./data.js";
import { formatBytes, formatCount, formatDifference, formatMeasure, formatShare } from "./format.js";
import { showGrowing } from "./growing.js";
import { readAddress, writeAddress } from "./state.js";
import { makeTable } from "./table.js";
import { makeTimeline } from "./timeline.js";
import { makeTip } from "./tip.js";
import { buildTree, depthOf, findByKey, matcherOf, sumDomains, sumFolded, sumMatches } from "./tree.js";
import "./page.css"; // after the libraries' styles, which it overrides

const MAX_FLAME_ROWS = 60; // the root of a taller flame graph would not be visible

const element = (id) => document.getElementById(id);
const data = readData(element("data").textContent);
const view = readAddress(data, window.location.hash);
let tree = null;
let written = "";

const tip = makeTip(element("tip"), element("spoken"), data);
const chart = makeChart(element("flamegraph"), {
    zoomed: (node) => {
        view.zoom = node ? node.key : "";
        remember();
    },
    hovered: (event, node) => tip.show(event, node, tree),
});
const table = makeTable(element("table"), data, {
    search: (text) => setSearch(text),
    sorted: (key) => {
        view.descending = view.sort === key ? !view.descending : true;
        view.sort = key;
        table.sort(view);
    },
});
const bornElements = { born: element("born"), from: element("born-from"), to: element("born-to"), text: element("born-text"), all: element("born-all") };
const born = makeBorn(bornElements, data, (range) => setBorn(range));
const timeline = makeTimeline(element("timeline"), data.dump.timeline, (range) => setBorn(born.snap(range)));

/** Puts the view into the address, so that a link to it shows the same view. */
function remember() {
    written = writeAddress(data, view);
    window.history.replaceState(null, "", `#${written}`);
}

function showProgram() {
    const { dump } = data;
    const argv = dump.argv.join(" ") || data.name;
    const name = data.name.slice(data.name.lastIndexOf("/") + 1);
    const pids = dump.pids.length > 1 ? `${dump.pids.length} processes` : `process ${dump.pids[0]}`;
    const facts = [dump.born, dump.python && `Python ${dump.python}`, pids, dump.ending, dump.sampling && `estimates: ${dump.sampling}`,
        data.old && data.old.sampling && `the old dump ${data.old.sampling}`, new Date(dump.start).toLocaleString(), name];
    document.title = `${argv.slice(0, 60)} \u2013 tracemalloc`;
    element("program").textContent = argv;
    element("facts").textContent = facts.filter(Boolean).join(" \u00b7 ");
    const lost = [...dump.incomplete, ...(data.old ? data.old.incomplete : [])];
    element("lost").hidden = lost.length === 0;
    element("lost").textContent = `Incomplete: ${lost.join("; ")}.`;
}

const TEMPORARY = "freed before their thread allocated another";

/** Names of the points in time within a sentence. */
const MOMENTS = data.dump.pids.length > 1
    ? { now: "now", peak: "at each process\u2019s own peak", exit: "at each process\u2019s exit", end: "at the very end of each process", temporary: TEMPORARY }
    : { now: "now", peak: "at the peak", exit: "at exit", end: "at the very end", temporary: TEMPORARY };

function showTotal() {
    const [size, count] = tree.now;
    const total = element("total");
    total.dataset.size = size;
    total.dataset.count = count;
    const strong = document.createElement("strong");
    strong.textContent = formatBytes(size);
    const more = document.createElement("small");
    const when = isLimited(view) ? ", allocated in the range" : "";
    const all = isLimited(view) ? " of all times" : "";
    more.textContent = ` in ${formatCount(count)} blocks ${MOMENTS[view.moment]}${when}, of ${formatCount(tree.now[2])} allocations${all}`;
    total.replaceChildren(strong, more);
    if (!data.compared) return;
    const difference = size - tree.old[0];
    total.dataset.sizeDiff = difference;
    const grown = document.createElement("span");
    grown.className = difference > 0 ? "grown" : "shrunk";
    grown.textContent = ` ${formatDifference("bytes", difference)}`;
    strong.after(grown);
}

function showFolded() {
    const measure = data.measures.indexOf(view.measure);
    const folded = sumFolded(tree)[measure];
    const { share } = data.trees[view.inverted ? "callers" : "calls"];
    const limit = `${Number((100 * share).toPrecision(2))}\u202f%`;
    const larger = data.compared ? "; of the two dumps, the larger" : "";
    element("drawn").textContent = `Widths: ${view.measure} ${MOMENTS[view.moment]}${larger}.`;
    element("folded").textContent = `Calls below ${limit} are folded into \u201cother\u201d: ` +
        `${formatMeasure(view.measure, folded)}, ${formatShare(folded, tree.now[measure]) || "0\u202f%"}.`;
}

function showMatches(matches) {
    const [size] = matches ? sumMatches(tree, matches) : [0];
    const matched = element("matched");
    matched.dataset.size = size;
    matched.textContent = matches ? `${formatBytes(size)}, ${formatShare(size, tree.now[0])}` : "";
}

function legendEntry({ title, colour }) {
    const entry = document.createElement("span");
    const sample = document.createElement("i");
    sample.style.background = colour;
    entry.append(sample, title);
    return entry;
}

function showLegend() {
    const kinds = data.compared ? GROWTH_KINDS : kindEntries(data.frames);
    element("legend").replaceChildren(...kinds.map(legendEntry));
}

function showControls(layout) {
    for (const key of ["measure", "moment", "search", "hide"]) element(key).value = view[key];
    element("layout").value = layout;
    for (const key of ["inverted", "imports"]) element(key).checked = view[key];
    const sums = sumDomains(data, view);
    for (const label of element("domains").children) {
        const number = Number(label.control.value);
        label.control.checked = view.domains.has(number);
        label.querySelector("small").textContent = formatBytes(sums[number]);
    }
}

/** Draws the view. It stays zoomed to the same frame, if that is in the new tree. */
function draw() {
    const { zoom } = view;
    tree = buildTree(data, view);
    const layout = view.layout || (depthOf(tree) > MAX_FLAME_ROWS ? "icicle" : "flame");
    const matches = matcherOf(view.search);
    tip.hide();
    chart.draw(tree, { compared: data.compared, measure: data.measures.indexOf(view.measure), layout, matches });
    const node = zoom && findByKey(tree, zoom);
    view.zoom = "";
    if (node) chart.zoomToNode(node);
    table.draw(view.inverted ? tree : buildTree(data, view, "callers"), view);
    showControls(layout);
    born.show(view.born);
    timeline.show(view.born);
    showTotal();
    showFolded();
    showMatches(matches);
    remember();
}

function setSearch(text) {
    if (text === view.search) return;
    view.search = text;
    element("search").value = text;
    const matches = matcherOf(text);
    chart.search(matches);
    showMatches(matches);
    remember();
}

/** Shows what was allocated in a range of time; null for all times. */
function setBorn(range) {
    view.born = range;
    draw();
}

function addOptions(select, values) {
    select.replaceChildren(...values.map((value) => new Option(value, value)));
}

function addDomains() {
    const boxes = data.domains.map((domain, number) => {
        const label = document.createElement("label");
        const box = document.createElement("input");
        label.className = "check";
        box.type = "checkbox";
        box.value = number;
        label.append(box, ` ${domain.name || domain.number} `, document.createElement("small"));
        return label;
    });
    element("domains").replaceChildren(...(boxes.length > 1 ? boxes : []));
}

/** The last selected domain cannot be deselected: the graph would be empty. */
function setDomain(box) {
    if (box.checked) view.domains.add(Number(box.value));
    else if (view.domains.size > 1) view.domains.delete(Number(box.value));
    draw();
}

function resetZoom() {
    chart.reset();
    tip.hide();
}

function press(event) {
    if (event.key === "Escape") {
        if (event.target === element("search") && element("search").value) setSearch("");
        else resetZoom();
    } else if (event.key === "/" && !/^(INPUT|SELECT)$/.test(event.target.tagName)) {
        element("search").focus();
        event.preventDefault();
    }
}

function listen() {
    for (const key of ["measure", "moment", "layout"]) {
        element(key).addEventListener("change", (event) => {
            view[key] = event.target.value;
            draw();
        });
    }
    for (const key of ["inverted", "imports"]) {
        element(key).addEventListener("change", (event) => {
            view[key] = event.target.checked;
            draw();
        });
    }
    element("hide").addEventListener("change", (event) => {
        view.hide = event.target.value;
        draw();
    });
    element("search").addEventListener("input", (event) => setSearch(event.target.value));
    element("domains").addEventListener("change", (event) => setDomain(event.target));
    element("reset").addEventListener("click", resetZoom);
    element("controls").addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("keydown", press);
    window.addEventListener("hashchange", () => {
        if (window.location.hash.slice(1) === written) return;
        Object.assign(view, readAddress(data, window.location.hash));
        draw();
    });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => timeline.draw());
    new ResizeObserver(() => {
        chart.resize();
        timeline.resize();
    }).observe(element("flamegraph"));
}

showProgram();
showLegend();
showGrowing({ section: element("growing"), note: element("growing-note"), list: element("entries") }, data, (text) => setSearch(text));
addOptions(element("measure"), data.measures);
addOptions(element("moment"), data.moments);
addDomains();
draw();
timeline.draw();
listen();
window.requestAnimationFrame(() => window.requestAnimationFrame(() => {
    document.documentElement.dataset.ready = "";
}));
