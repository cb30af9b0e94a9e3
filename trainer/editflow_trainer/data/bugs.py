"""Which of an example's possible bugs happen, and the aligned pair and complaints that come of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from editflow.canvas import Role
from editflow.process.base import BLANK
from editflow.window import MAX_DIAGNOSTICS
from editflow_trainer.data.config import BugConfig
from editflow_trainer.data.example import Complaint, Site
from editflow_trainer.data.row import Ids, Row

Rng = np.random.Generator


def bug_count(config: BugConfig, rng: Rng) -> int:
    """One bug, or several around the mean."""
    if rng.random() < config.single:
        return 1
    return min(config.most, 2 + int(rng.exponential(config.mean - 2)))


def choose(sites: Sequence[Site], weights: Sequence[float], count: int, rng: Rng) -> list[Site]:
    """Up to `count` sites that stand apart, in order; kinds are drawn by weight, sites of a kind alike."""
    open_sites, chosen = list(sites), list[Site]()
    while open_sites and len(chosen) < count:
        kinds = [site.kind for site in open_sites]
        shares = [weights[kind] / kinds.count(kind) for kind in kinds]
        u, at = rng.random() * sum(shares), 0
        while at < len(shares) - 1 and u >= shares[at]:
            u -= shares[at]
            at += 1
        chosen.append(open_sites[at])
        open_sites = [site for site in open_sites if site.apart(chosen[-1])]
    return sorted(chosen, key=lambda site: site.start)


def splice(clean: Ids, sites: Sequence[Site]) -> tuple[Row, Ids]:
    """The pair with the bugs in, sites sorted and apart; and the slot of every clean token.

    A clean token that a bug takes out has the first slot of that bug.
    """
    z0, z1 = list[Ids](), list[Ids]()
    slot = np.arange(len(clean) + 1, dtype=np.int32)
    done = 0
    for site in sites:
        between = clean[done : site.start]
        z0 += [between, site.z0]
        z1 += [between, site.z1]
        slot[site.start : site.end] = slot[site.start]
        slot[site.end :] += len(site.z0) - (site.end - site.start)
        done = site.end
    source = np.concatenate([*z0, clean[done:]])
    role = np.where(source == BLANK, 0, int(Role.ORIGINAL)).astype(np.uint8)
    return Row(source, np.concatenate([*z1, clean[done:]]), role), slot


def complaints(
    sites: Sequence[Site], slot: Ids, unparsable: Collection[int]
) -> list[tuple[Complaint, tuple[int, ...]]]:
    """What a checker says of all the bugs, each with the slots it underlines.

    A text that does not parse gets one complaint, about its first syntax error.
    """
    found = [(site, complaint) for site in sites for complaint in site.complaints]
    fatal = [pair for pair in found if pair[0].kind in unparsable]
    placed = [(complaint, _slots(site, complaint, slot)) for site, complaint in fatal or found]
    placed.sort(key=lambda pair: pair[1])
    return placed[: 1 if fatal else MAX_DIAGNOSTICS]


def _slots(site: Site, complaint: Complaint, slot: Ids) -> tuple[int, ...]:
    """Slots of tokens that are counted from the site's start in the text with this bug alone."""
    own = np.flatnonzero(site.z0 != BLANK) + slot[site.start] if len(site.z0) else np.zeros(0, np.int32)
    slots = []
    for token in range(complaint.start, complaint.end):
        if 0 <= token < len(own):
            slots.append(int(own[token]))
        else:
            clean = site.start + token if token < 0 else site.end + token - len(own)
            slots.append(int(slot[min(clean, len(slot) - 1)]))
    return tuple(slots)
