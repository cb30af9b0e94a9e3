// What a hunk looks like in the editor: which characters are struck through, and which new text stands as a ghost after
// them. Editors draw ghost text within one line, so a replacement of several lines is laid out line by line.

import { LINE_BREAK, compare } from "./positions";
import type { Hunk, Range } from "./protocol";

/** Within one line: what `range` holds is struck through, `text` stands after it. Either may be empty, not both. */
export interface Mark {
  readonly range: Range;
  readonly text: string;
}

const LONGEST = 120;
const BREAK = "⏎";
const REMOVED_BREAK = "⌫⏎";
const WORD = /[\p{L}\p{N}_]/u;

interface Segment {
  readonly line: number;
  readonly character: number;
  readonly text: string;
}

export function marks(hunk: Hunk, lineAt: (line: number) => string): Mark[] {
  const old = segments(hunk.range, lineAt);
  const fresh = hunk.newText.split(LINE_BREAK);
  const [head, tail] = old.length === fresh.length ? [0, 0] : commonLines(old, fresh);
  const oldBlock = old.slice(head, old.length - tail);
  const freshBlock = fresh.slice(head, fresh.length - tail);
  const paired = Math.min(oldBlock.length, freshBlock.length);
  const made = oldBlock.map((segment, i) => replacement(segment, i < paired ? (freshBlock[i] ?? "") : ""));
  const indent = /^\s*/.exec(lineAt(hunk.range.start.line))?.[0] ?? "";
  const extra = freshBlock
    .slice(paired)
    .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
  if (extra.length > 0) join(made, addition(old, head + paired, extra));
  const visible = made.filter(
    (mark) => mark.text !== "" || mark.range.start.character !== mark.range.end.character,
  );
  return visible.length > 0
    ? visible
    : [{ range: { start: hunk.range.start, end: hunk.range.start }, text: REMOVED_BREAK }];
}

/** Spaces that would be invisible or collapse made visible, tabs as arrows, and not longer than a line of code. */
export function ghost(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  const edges = short.replace(/(^|⏎) +| +($|(?=⏎))/g, (spaces) => spaces.replaceAll(" ", "·"));
  return edges.replaceAll("\t", "→").replaceAll(" ", "\u00a0");
}

function segments(range: Range, lineAt: (line: number) => string): Segment[] {
  const { start, end } = range;
  return Array.from({ length: end.line - start.line + 1 }, (_, i) => {
    const line = start.line + i;
    const character = i === 0 ? start.character : 0;
    const stop = line === end.line ? end.character : undefined;
    return { line, character, text: lineAt(line).slice(character, stop) };
  });
}

function replacement(segment: Segment, text: string): Mark {
  const [head, tail] = commonEnds(segment.text, text);
  const changed = {
    ...segment,
    character: segment.character + head,
    text: segment.text.slice(head, segment.text.length - tail),
  };
  return { range: rangeOf(changed), text: text.slice(head, text.length - tail) };
}

/** Adds a mark; one that begins where the last one ends becomes part of it. */
function join(made: Mark[], mark: Mark): void {
  const last = made.at(-1);
  if (!last || compare(last.range.end, mark.range.start) !== 0) made.push(mark);
  else made[made.length - 1] = { range: last.range, text: last.text + mark.text };
}

/** Whole new lines: after line `index - 1` of the old ones, or before the first. */
function addition(old: readonly Segment[], index: number, lines: readonly string[]): Mark {
  const first = index === 0;
  const { line, character, text } = old[first ? 0 : index - 1] as Segment;
  const place = { line, character: first ? character : character + text.length, text: "" };
  return {
    range: rangeOf(place),
    text: lines.map((fresh) => (first ? fresh + BREAK : BREAK + fresh)).join(""),
  };
}

function rangeOf({ line, character, text }: Segment): Range {
  return { start: { line, character }, end: { line, character: character + text.length } };
}

/** How many whole lines the two share at their starts and at their ends. */
function commonLines(old: readonly Segment[], fresh: readonly string[]): [number, number] {
  const limit = Math.min(old.length, fresh.length);
  let head = 0;
  while (head < limit && old[head]?.text === fresh[head]) head += 1;
  let tail = 0;
  while (tail < limit - head && old[old.length - 1 - tail]?.text === fresh[fresh.length - 1 - tail])
    tail += 1;
  return [head, tail];
}

/** How many characters two lines share at their starts and at their ends, never cutting a word. */
function commonEnds(a: string, b: string): [number, number] {
  const limit = Math.min(a.length, b.length);
  let head = 0;
  while (head < limit && a[head] === b[head]) head += 1;
  while (head > 0 && (cutsWord(a, head) || cutsWord(b, head))) head -= 1;
  let tail = 0;
  while (tail < limit - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  while (tail > 0 && (cutsWord(a, a.length - tail) || cutsWord(b, b.length - tail))) tail -= 1;
  return [head, tail];
}

function cutsWord(text: string, index: number): boolean {
  return WORD.test(text[index - 1] ?? "") && WORD.test(text[index] ?? "");
}
