// The line above each hunk under review: accept or reject it, or all of them.

import { CodeLens, type CodeLensProvider, EventEmitter, Range, type TextDocument } from "vscode";
import { LINE_BREAK } from "./positions";
import type { Preview } from "./preview";
import type { Hunk } from "./protocol";

export class Lenses implements CodeLensProvider {
  private readonly changed = new EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.changed.event;

  constructor(private readonly find: (document: TextDocument) => Preview | undefined) {}

  refresh(): void {
    this.changed.fire();
  }

  provideCodeLenses(document: TextDocument): CodeLens[] {
    const preview = this.find(document);
    if (preview?.phase !== "reviewing") return [];
    const { pending, accepted, rejected } = preview.proposal;
    const [first] = pending;
    if (!first) return [];
    const decided = accepted.length + rejected.length;
    const several =
      pending.length > 1 ? allOf(document, first, `${decided + 1} of ${decided + pending.length}`) : [];
    return [...several, ...pending.flatMap((hunk) => oneOf(document, hunk, sharesLine(pending, hunk)))];
  }
}

function allOf(document: TextDocument, first: Hunk, count: string): CodeLens[] {
  const uri = document.uri.toString();
  return [
    lens(first, "Accept all", "editflow.acceptAll", uri),
    lens(first, "Reject all", "editflow.rejectAll", uri),
    lens(first, `edit ${count}`, "editflow.nextHunk", uri),
  ];
}

function oneOf(document: TextDocument, hunk: Hunk, named: boolean): CodeLens[] {
  const uri = document.uri.toString();
  const name = named ? ` “${label(document, hunk)}”` : "";
  const long = LINE_BREAK.test(hunk.newText) ? [lens(hunk, "Side by side", "editflow.showDiff", uri)] : [];
  return [
    lens(hunk, `Accept${name}`, "editflow.acceptHunk", uri, hunk.id),
    lens(hunk, `Reject${name}`, "editflow.rejectHunk", uri, hunk.id),
    ...long,
  ];
}

function lens(hunk: Hunk, title: string, command: string, ...args: string[]): CodeLens {
  const { start } = hunk.range;
  return new CodeLens(new Range(start.line, start.character, start.line, start.character), {
    title,
    command,
    arguments: args,
  });
}

function sharesLine(hunks: readonly Hunk[], hunk: Hunk): boolean {
  return hunks.some((other) => other !== hunk && other.range.start.line === hunk.range.start.line);
}

function label(document: TextDocument, hunk: Hunk): string {
  const { start, end } = hunk.range;
  const old = document.getText(new Range(start.line, start.character, end.line, end.character));
  const short = (text: string): string =>
    (text.length > 20 ? `${text.slice(0, 19)}…` : text).replaceAll(/\s/g, "␣");
  return [old, hunk.newText]
    .filter((text) => text !== "")
    .map(short)
    .join(" → ");
}
