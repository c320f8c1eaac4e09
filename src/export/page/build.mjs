// SPDX-License-Identifier: MIT
// Builds the page: installs the libraries of package-lock.json into a directory of the
// build, bundles them with our scripts, and writes a C file with the text of the page.
//
// node build.mjs NPM SOURCE-DIRECTORY WORK-DIRECTORY OUT.c enabled|auto
//
// With `auto`, the command is built without the page if the page cannot be built.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [npm, source, work, out, wish] = process.argv.slice(2);
function install() {
    fs.mkdirSync(work, { recursive: true });
    for (const name of ["package.json", "package-lock.json"]) fs.copyFileSync(path.join(source, name), path.join(work, name));
    const options = ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--no-update-notifier", "--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000"];
    const run = spawnSync(npm, options, { cwd: work, encoding: "utf8", timeout: 300000 });
    if (run.status === 0) return;
    const lines = (run.stderr || String(run.error)).split("\n").filter((line) => /^npm (ERR!|error) \S/.test(line));
    throw new Error(lines[0] || "npm ci failed");
}

function bundle() {
    const esbuild = createRequire(path.join(path.resolve(work), "package.json"))("esbuild");
    return esbuild.buildSync({
        entryPoints: [path.resolve(source, "main.js")],
        nodePaths: [path.resolve(work, "node_modules")],
        outdir: "/",
        bundle: true,
        minify: true,
        write: false,
        metafile: true,
        format: "iife",
        charset: "ascii",
        target: ["es2020"],
        legalComments: "none",
        logLevel: "warning",
    });
}

/** Licences of the packages in the bundle, which must be distributed with the page. */
function licences(inputs) {
    const packages = new Set(Object.keys(inputs).map((file) => (file.match(/.*node_modules\/((@[^/]+\/)?[^/]+)/) || [])[1]).filter(Boolean));
    return [...packages].sort().map((name) => {
        const directory = path.join(work, "node_modules", name);
        const { version, license } = JSON.parse(fs.readFileSync(path.join(directory, "package.json"), "utf8"));
        const file = fs.readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry));
        const text = file ? fs.readFileSync(path.join(directory, file), "utf8").trim() : "";
        return `${name} ${version} (${license})\n\n${text}\n`;
    }).join("\n");
}

function fill(template, parts) {
    return template.replace(/@(STYLE|SCRIPT|LICENCES)@/g, (word, name) => parts[name]);
}

function page() {
    const result = bundle();
    const text = (ending) => result.outputFiles.find((file) => file.path.endsWith(ending)).text.trim();
    const parts = { STYLE: text(".css"), SCRIPT: text(".js"), LICENCES: licences(result.metafile.inputs).replace(/</g, "&lt;") };
    return fill(fs.readFileSync(path.join(source, "page.html"), "utf8"), parts);
}

/** A C string without trigraphs; octal escapes have three digits, so that none continues. */
function quote(text) {
    const bytes = [...Buffer.from(text, "utf8")];
    const escaped = bytes.map((byte) => (byte >= 32 && byte < 127 && !'"\\?'.includes(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, "0")}`));
    const lines = [];
    for (let at = 0; at < escaped.length; at += 100) lines.push(`    "${escaped.slice(at, at + 100).join("")}"`);
    return lines.join("\n");
}

function write(text) {
    const [head, tail] = text.split("@DATA@");
    fs.writeFileSync(out, `#include "export/page_template.h"

const char *const page_template_head =
${quote(head)};
const char *const page_template_tail =
${quote(tail)};
`);
}

try {
    install();
    write(page());
} catch (error) {
    const reason = String(error.message).split("\n")[0];
    if (wish === "enabled") {
        console.error(`cannot build the page: ${reason}`);
        process.exit(1);
    }
    console.error(`\nThe command is built without its page: ${reason}\nTo try again: touch ${path.join(source, "package.json")}\n`);
    fs.copyFileSync(path.join(source, "..", "page_absent.c"), out);
}
