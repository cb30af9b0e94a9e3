import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { test } from "node:test";
import { CANCEL, FIX, SUSPICION } from "../src/protocol";

interface Property {
  readonly scope: string;
}

interface Manifest {
  readonly engines: { readonly vscode: string };
  readonly devDependencies: Record<string, string>;
  readonly capabilities: { readonly untrustedWorkspaces: { readonly restrictedConfigurations: string[] } };
  readonly contributes: {
    readonly commands: { readonly command: string }[];
    readonly menus: Record<string, { readonly command: string }[]>;
    readonly keybindings: { readonly command: string; readonly key: string; readonly when: string }[];
    readonly configuration: { readonly properties: Record<string, Property> };
    readonly colors: { readonly id: string }[];
  };
}

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const source = (name: string): string => readFileSync(`src/${name}.ts`, "utf8");
const { contributes } = manifest;
const names = contributes.commands.map(({ command }) => command);

test("every command is contributed, and none has the name of a server command", () => {
  const table = source("commands").match(/^ {6}(\w+)(?=: \(|,$)/gm) ?? [];
  assert.deepEqual(table.map((name) => `editflow.${name.trim()}`).toSorted(), names.toSorted());
  for (const command of [FIX, CANCEL, SUSPICION]) assert.ok(!names.includes(command));
});

test("menus and keys name commands that exist", () => {
  for (const { command } of [...Object.values(contributes.menus).flat(), ...contributes.keybindings])
    assert.ok(names.includes(command), command);
});

test("keys work in an editor with a preview only, and Tab stays what it is", () => {
  for (const { key, when } of contributes.keybindings) {
    assert.match(when, /editflow\.(reviewing|running)/);
    assert.match(when, /editorTextFocus/);
    assert.doesNotMatch(key, /tab/);
  }
});

test("an untrusted folder chooses nothing that runs, and cannot ask for more than the person does", () => {
  const own = Object.entries(contributes.configuration.properties).filter(
    ([, { scope }]) => scope === "machine" || scope === "application",
  );
  const narrowing = ["exclude", "maxLines", "review", "threshold"].map((name) => `editflow.${name}`);
  assert.deepEqual(
    [...own.map(([name]) => name), ...narrowing].toSorted(),
    manifest.capabilities.untrustedWorkspaces.restrictedConfigurations.toSorted(),
  );
  for (const name of ["interpreter", "model", "adapter", "device", "daemon"])
    assert.equal(contributes.configuration.properties[`editflow.${name}`]?.scope, "machine");
});

test("every setting is read", () => {
  for (const name of Object.keys(contributes.configuration.properties))
    assert.ok(source("settings").includes(`"${name.split(".")[1] ?? ""}"`), name);
});

test("colours in use are contributed", () => {
  const used = new Set(source("decorations").match(/editflow\.\w+(?:ground|Border)/g));
  assert.deepEqual([...used].toSorted(), contributes.colors.map(({ id }) => id).toSorted());
});

test("the typings are those of the oldest editor that is supported", () => {
  assert.equal(manifest.engines.vscode, `^${manifest.devDependencies["@types/vscode"] ?? ""}`);
});

test("the pictures of the page and the walkthrough are there, and small", () => {
  const named =
    `${readFileSync("README.md", "utf8")}${readFileSync("package.json", "utf8")}`.match(
      /media\/[\w-]+\.png/g,
    ) ?? [];
  assert.ok(named.length > 3);
  for (const file of named) assert.ok(statSync(file).size < 150_000, file);
});
