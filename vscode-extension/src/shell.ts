// A command line as a person could have typed it in their shell.

import type { Command } from "./environment";

const PLAIN = /^[\w./:-]+$/;

/** `shell` is the path of the program that will read the line. */
export function commandLine({ program, args }: Command, shell: string): string {
  const name = /([^/\\]*?)(\.exe)?$/i.exec(shell)?.[1]?.toLowerCase() ?? "";
  const words = [program, ...args].map((word) => (PLAIN.test(word) ? word : quote(word, name)));
  const call = /^(pwsh|powershell)$/.test(name) && words[0] !== program ? "& " : "";
  return call + words.join(" ");
}

function quote(word: string, shell: string): string {
  if (shell === "cmd") return `"${word}"`;
  const escaped = shell === "pwsh" || shell === "powershell" ? "''" : "'\\''";
  return `'${word.replaceAll("'", escaped)}'`;
}
