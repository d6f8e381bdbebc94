// The emulator as a program beside a test: started, controlled, read, stopped.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, mkdir, readFile, rm } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";

// What of the surroundings a program may see.
const KEPT = ["PATH", "LANG", "TERM", "SYSTEMROOT"];

const kept = () => Object.fromEntries(KEPT.filter((name) => name in process.env).map((name) => [name, process.env[name]]));

/** Starts one with more options than the usual, with its own folder, which is deleted with it. */
export async function start(...more) {
    const program = process.env.AKS_ACR_EMULATOR_BIN;
    if (!program) throw new Error("AKS_ACR_EMULATOR_BIN names no emulator");
    const folder = await mkdtemp(path.join(tmpdir(), "aks-acr-peer-"));
    const home = path.join(folder, "home");
    await mkdir(home, { mode: 0o700 });
    const options = ["serve", "--format", "json", "--ca-file", path.join(folder, "ca.pem"), ...more];
    const child = spawn(program, options, { env: { ...kept(), TMPDIR: folder }, stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "exit");
    const stop = async () => {
        child.kill();
        await ended;
        await rm(folder, { recursive: true, force: true });
    };
    try {
        return { ...(await told(child)), folder, home, stop };
    } catch (fault) {
        await stop();
        throw fault;
    }
}

/** What it says before the line `ready`. */
async function told(child) {
    let text = "";
    for await (const chunk of child.stdout) {
        text += chunk;
        if (/^ready$/m.test(text)) return JSON.parse(text.slice(0, text.lastIndexOf("ready")));
    }
    throw new Error(`the emulator did not start: ${text}`);
}

/** The variables of a program that is to reach it by its own address (`origin`) or as the public cloud (`proxy`). */
export function environment(emulator, way) {
    const own = { HOME: emulator.home, TMPDIR: emulator.folder, KUBECONFIG: path.join(emulator.home, "config") };
    const variables = { ...kept(), ...own, ...emulator.environment };
    if (way === "origin") {
        delete variables.HTTPS_PROXY;
        delete variables.https_proxy;
    }
    return variables;
}

/** Asks the control endpoint; the answer is text. */
export async function order(method, order, body) {
    const { AKS_ACR_EMULATOR: origin, AKS_ACR_EMULATOR_CA: trust, AKS_ACR_EMULATOR_TOKEN: token } = process.env;
    const options = { method, ca: await readFile(trust), headers: { authorization: `Bearer ${token}` } };
    const asked = request(`${origin}/_emulator/${order}`, options).end(body && JSON.stringify(body));
    const [answer] = await once(asked, "response");
    let text = "";
    for await (const chunk of answer.setEncoding("utf8")) text += chunk;
    if (answer.statusCode !== 200) throw new Error(`${method} ${order}: ${answer.statusCode} ${text}`);
    return text;
}

/** The place in the log after the newest request. */
export async function mark() {
    return JSON.parse(await order("GET", "mark")).mark;
}

/** The requests since a mark, in their order. */
export async function requests(since) {
    const lines = (await order("GET", `requests?since=${since}`)).split("\n").filter(Boolean);
    return lines.map((line) => JSON.parse(line));
}
