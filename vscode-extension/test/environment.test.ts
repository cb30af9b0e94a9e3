import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { type Places, findEnvironment, hasServer, which } from "../src/environment";

/** Places where only the Pythons of `having` have the server. */
function places(having: string[], more: Partial<Places> = {}): Places {
  return {
    interpreter: "",
    trusted: true,
    privatePython: "private",
    which: () => Promise.resolve(undefined),
    selected: () => Promise.resolve("selected"),
    hasServer: (python) => Promise.resolve(having.includes(python)),
    ...more,
  };
}

const onPath = (program: string): Promise<string> => Promise.resolve(`/bin/${program}`);

test("the setting comes first, then PATH, then the Python extension, then our own environment", async () => {
  const all = ["set", "selected", "private"];
  const found = async (some: Places): Promise<unknown> => {
    const environment = await findEnvironment(some);
    return "server" in environment ? environment.server : environment;
  };
  const module = (program: string): object => ({ program, args: ["-P", "-m", "editflow_lsp"] });
  assert.deepEqual(await found(places(all, { interpreter: "set", which: onPath })), module("set"));
  assert.deepEqual(await found(places(all, { which: onPath })), { program: "/bin/editflow-lsp", args: [] });
  assert.deepEqual(await found(places(all)), module("selected"));
  assert.deepEqual(await found(places(["private"])), module("private"));
});

test("a setting that names the wrong Python is said, not passed over", async () => {
  const found = await findEnvironment(places(["selected"], { interpreter: "set" }));
  assert.ok("missing" in found && found.missing.includes("editflow.interpreter"));
});

test("the workspace's Python is not even asked for where the workspace is not trusted", async () => {
  const selected = (): Promise<string> => assert.fail("asked for the workspace's Python");
  const found = await findEnvironment(places(["selected"], { trusted: false, selected }));
  assert.ok("missing" in found);
});

test("which finds executables in absolute folders only", { skip: process.platform === "win32" }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "which-"));
  try {
    const tool = join(folder, "tool");
    writeFileSync(tool, "#!/bin/sh\n");
    assert.equal(await which("tool", folder), undefined);
    chmodSync(tool, 0o755);
    assert.equal(await which("tool", ["relative", folder].join(delimiter)), tool);
    assert.equal(await which("tool", "."), undefined);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a program that is no Python has no server", async () => {
  assert.equal(await hasServer("/no/such/python"), false);
  assert.equal(await hasServer(process.execPath), false);
});
