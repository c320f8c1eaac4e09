// SPDX-License-Identifier: MIT
// The table of the lines that hold the most: the innermost frames of all stacks.
import { OWN } from "./data.js";
import { formatBytes, formatCount, formatDifference, formatShare } from "./format.js";

const MAX_ROWS = 200;

const COLUMNS = [
    { key: "place", title: "Line", text: (row) => row.place },
    { key: "name", title: "Function", text: (row) => (row.name === row.place ? "" : row.name) },
    { key: "size", title: "Bytes", number: true, text: (row) => formatBytes(row.size) },
    { key: "share", title: "Share", number: true, text: (row, total) => formatShare(row.size, total.size) },
    { key: "count", title: "Blocks", number: true, text: (row) => formatCount(row.count) },
    { key: "allocations", title: "Allocations", number: true, text: (row) => formatCount(row.allocations) },
];

const COMPARED = [
    { key: "size_diff", title: "Bytes more", number: true, text: (row) => formatDifference("bytes", row.size_diff) },
    { key: "count_diff", title: "Blocks more", number: true, text: (row) => formatDifference("blocks", row.count_diff) },
];

/** A row of a node, or of the sum of several. */
function rowOf(nodes, place, name, source) {
    const row = { place, name, source, size: 0, count: 0, allocations: 0, size_diff: 0, count_diff: 0 };
    for (const { now, old } of nodes) {
        row.size += now[0];
        row.count += now[1];
        row.allocations += now[2];
        row.size_diff += now[0] - old[0];
        row.count_diff += now[1] - old[1];
    }
    row.share = row.size;
    return row;
}

function orderOf(key) {
    if (key === "place" || key === "name") return (a, b) => (b[key] > a[key]) - (b[key] < a[key]);
    if (key.endsWith("_diff")) return (a, b) => Math.abs(b[key]) - Math.abs(a[key]);
    return (a, b) => b[key] - a[key];
}

/** What a node holds without its children; for the root, stacks whose frames are all folded. */
function ownOf(node) {
    const own = { now: [...node.now], old: [...node.old] };
    for (const child of node.children) {
        child.now.forEach((value, m) => (own.now[m] -= value));
        child.old.forEach((value, m) => (own.old[m] -= value));
    }
    return own;
}

/** The nodes of each line, largest first: several functions may share one. */
function linesOf(nodes) {
    const lines = new Map();
    for (const node of nodes) {
        const { frame } = node;
        const key = frame.line > 0 ? frame.place : frame.number;
        if (!lines.has(key)) lines.set(key, []);
        lines.get(key).push(node);
    }
    return [...lines.values()].map((line) => line.sort((a, b) => b.now[0] - a.now[0]));
}

/** The lines that are among the largest by any of the numbers, and the remaining nodes. */
function chooseRows(root) {
    const nodes = root.children;
    const own = linesOf(nodes.filter((node) => node.frame.number !== OWN.other));
    const rows = own.map((line) => [line, rowOf(line, line[0].frame.place, line[0].frame.name, line[0].frame.source)]);
    const chosen = new Set();
    for (const key of ["size", "count", "allocations", "size_diff"]) {
        rows.sort(([, a], [, b]) => orderOf(key)(a, b));
        for (const entry of rows.slice(0, MAX_ROWS / 2)) chosen.add(entry);
    }
    const known = new Set([...chosen].flatMap(([line]) => line));
    const rest = nodes.filter((node) => !known.has(node));
    rest.push(ownOf(root));
    return { rows: [...chosen].map(([, row]) => row), rest };
}

function cell(kind, text, number) {
    const element = document.createElement(kind);
    element.textContent = text;
    if (number) element.className = "number";
    return element;
}

/** Rows are in the order of `view.sort` and `view.descending`; a click on one calls `search(text)`. */
export function makeTable(table, data, { search, sorted }) {
    const columns = data.compared ? [...COLUMNS.slice(0, 3), ...COMPARED, ...COLUMNS.slice(4)] : COLUMNS;
    let shown = { rows: [], rest: [], total: rowOf([], "", "") };

    function head(view) {
        const row = document.createElement("tr");
        for (const column of columns) {
            const th = cell("th", "", column.number);
            th.dataset.key = column.key;
            th.scope = "col";
            const sort = view.sort === column.key;
            th.setAttribute("aria-sort", !sort ? "none" : view.descending ? "descending" : "ascending");
            const button = document.createElement("button");
            button.type = "button";
            button.textContent = column.title;
            th.append(button);
            th.addEventListener("click", () => sorted(column.key));
            row.append(th);
        }
        table.tHead.replaceChildren(row);
    }

    function placeCell(row) {
        const td = cell("td", "");
        const button = document.createElement("button");
        button.type = "button";
        button.className = "place";
        button.textContent = row.place;
        button.title = "Search for this line";
        button.tabIndex = -1;
        button.addEventListener("click", () => search(row.place));
        td.append(button);
        if (row.source) td.append(cell("code", row.source));
        return td;
    }

    function line(row, first) {
        const tr = document.createElement("tr");
        for (const column of columns) {
            const td = column.key === "place" ? first(row) : cell("td", column.text(row, shown.total), column.number);
            if (column.key.endsWith("_diff") && row[column.key] !== 0) td.classList.add(row[column.key] > 0 ? "grown" : "shrunk");
            tr.append(td);
        }
        return tr;
    }

    function foot() {
        const rest = rowOf(shown.rest, "other lines", "");
        const hasRest = [...shown.rest].some(({ now, old }) => now.some(Boolean) || old.some(Boolean));
        const total = { ...shown.total, place: "total", name: "" };
        const rows = hasRest ? [rest, total] : [total];
        table.tFoot.replaceChildren(...rows.map((row) => line(row, (r) => cell("td", r.place))));
    }

    /** The rows are one stop of the Tab key; the arrows move among them. */
    function enter(tr, focus) {
        const button = tr && tr.querySelector("button.place");
        if (!button) return;
        for (const other of table.querySelectorAll('button.place[tabindex="0"]')) other.tabIndex = -1;
        button.tabIndex = 0;
        if (focus) button.focus();
    }

    table.tBodies[0].addEventListener("keydown", (event) => {
        const tr = event.target.closest("tr");
        if (event.key === "ArrowDown") enter(tr.nextElementSibling, true);
        else if (event.key === "ArrowUp") enter(tr.previousElementSibling, true);
        else return;
        event.preventDefault();
    });

    /** Sorts the rows in the order of the view. */
    function sort(view) {
        const rows = [...shown.rows].sort(orderOf(view.sort));
        if (!view.descending) rows.reverse();
        const lines = rows.map((row) => line(row, placeCell));
        lines.forEach((tr, i) => (tr.dataset.size = rows[i].size));
        table.tBodies[0].replaceChildren(...lines);
        enter(lines[0]);
        head(view);
        foot();
    }

    /** `root` is a tree of callers. */
    function draw(root, view) {
        shown = { ...chooseRows(root), total: rowOf([root], "", "") };
        sort(view);
    }

    return { draw, sort };
}
