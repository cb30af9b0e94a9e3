// A proposal under review, and the pure functions over it: the hunks that still wait for a decision, placed in one
// version of the document, and what was decided about the others.

import { type Change, compare, contains, moved, reanchor } from "./positions";
import type { Hunk, Position, Step } from "./protocol";

export interface Proposal {
  /** The document version that the ranges of `pending` refer to. */
  readonly version: number;
  /** In document order, never overlapping. */
  readonly pending: readonly Hunk[];
  readonly accepted: readonly string[];
  readonly rejected: readonly string[];
}

export function propose(version: number, hunks: readonly Hunk[]): Proposal {
  return { version, pending: hunks.toSorted(inOrder), accepted: [], rejected: [] };
}

/** Whether `step` may be shown: rule 2 of the stream. */
export function isCurrent(step: Step, jobId: string, version: number, lastSeq: number): boolean {
  return step.jobId === jobId && step.textDocument.version === version && step.seq > lastSeq;
}

export function changeOf(hunk: Hunk): Change {
  return { range: hunk.range, text: hunk.newText };
}

/** The changes that accepting `ids` makes, and the proposal as it stands in the document after them. */
export function accept(proposal: Proposal, ids: ReadonlySet<string>): { changes: Change[]; rest: Proposal } {
  const taken = proposal.pending.filter((hunk) => ids.has(hunk.id));
  const pending: Hunk[] = [];
  let before: Change[] = [];
  for (const hunk of proposal.pending) {
    if (ids.has(hunk.id)) before = [changeOf(hunk), ...before];
    else pending.push(before.reduce(after, hunk));
  }
  const accepted = [...proposal.accepted, ...taken.map((hunk) => hunk.id)];
  return { changes: taken.map(changeOf), rest: { ...proposal, pending, accepted } };
}

export function reject(proposal: Proposal, ids: ReadonlySet<string>): Proposal {
  const gone = proposal.pending.filter((hunk) => ids.has(hunk.id)).map((hunk) => hunk.id);
  const pending = proposal.pending.filter((hunk) => !ids.has(hunk.id));
  return { ...proposal, pending, rejected: [...proposal.rejected, ...gone] };
}

/** The proposal in version `version`, which `changes` made one after the other; hunks that they touch are dropped. */
export function follow(proposal: Proposal, changes: readonly Change[], version: number): Proposal {
  const pending = proposal.pending.flatMap((hunk) => {
    let range: Hunk["range"] | null = hunk.range;
    for (const change of changes) range = range && reanchor(range, change);
    return range ? [{ ...hunk, range }] : [];
  });
  return { ...proposal, version, pending };
}

/** The pending hunk that holds `position`, the ends included. */
export function at(proposal: Proposal, position: Position): Hunk | undefined {
  return proposal.pending.find((hunk) => contains(hunk.range, position));
}

/** The first pending hunk that starts after `position`; after the last one, the first. */
export function next(proposal: Proposal, position: Position): Hunk | undefined {
  return proposal.pending.find((hunk) => compare(hunk.range.start, position) > 0) ?? proposal.pending[0];
}

/** The last pending hunk that starts before `position`; before the first one, the last. */
export function previous(proposal: Proposal, position: Position): Hunk | undefined {
  return (
    proposal.pending.findLast((hunk) => compare(hunk.range.start, position) < 0) ?? proposal.pending.at(-1)
  );
}

function after(hunk: Hunk, change: Change): Hunk {
  return { ...hunk, range: { start: moved(hunk.range.start, change), end: moved(hunk.range.end, change) } };
}

function inOrder(a: Hunk, b: Hunk): number {
  return compare(a.range.start, b.range.start) || compare(a.range.end, b.range.end);
}
