// Arithmetic on line and character positions: no document is needed, so it works on any version of one.

import type { Position, Range } from "./protocol";

/** One replacement of a range; VS Code's content changes and our hunks both have this shape. */
export interface Change {
  readonly range: Range;
  readonly text: string;
}

export const LINE_BREAK = /\r\n|\r|\n/;

export function compare(a: Position, b: Position): number {
  return a.line - b.line || a.character - b.character;
}

export function contains(range: Range, position: Position): boolean {
  return compare(range.start, position) <= 0 && compare(position, range.end) <= 0;
}

/** Where `position`, not before the end of the changed range, lies after the change. */
export function moved(position: Position, change: Change): Position {
  const { start, end } = change.range;
  const lines = change.text.split(LINE_BREAK);
  const last = lines.at(-1) ?? "";
  if (position.line !== end.line) {
    return { line: position.line + start.line - end.line + lines.length - 1, character: position.character };
  }
  const column = lines.length === 1 ? start.character + last.length : last.length;
  return { line: start.line + lines.length - 1, character: column + position.character - end.character };
}

/** `range` after `change`: moved, left alone, or null where the change touches it (section 5 of the protocol). */
export function reanchor(range: Range, change: Change): Range | null {
  if (compare(change.range.end, range.start) < 0) {
    return { start: moved(range.start, change), end: moved(range.end, change) };
  }
  return compare(range.end, change.range.start) < 0 ? range : null;
}

/** `text` after `changes`, which do not overlap and all refer to `text` itself. */
export function applied(text: string, changes: readonly Change[]): string {
  const starts = lineStarts(text);
  const offset = (position: Position): number => (starts[position.line] ?? text.length) + position.character;
  const parts: string[] = [];
  let done = 0;
  for (const { range, text: replacement } of changes.toSorted((a, b) =>
    compare(a.range.start, b.range.start),
  )) {
    parts.push(text.slice(done, offset(range.start)), replacement);
    done = offset(range.end);
  }
  return parts.join("") + text.slice(done);
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\r|\n/g)) starts.push(match.index + match[0].length);
  return starts;
}
