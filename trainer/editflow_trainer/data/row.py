"""One training row: an aligned pair of token sequences, slot by slot, as the corruption of a process reads it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]
"""Token ids, BLANK where a slot has none; 16 bits wide on disk."""
Roles = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Row:
    """One slot an entry; the columns mean what they mean in editflow.process.base.AlignedBatch."""

    z0: Ids
    z1: Ids
    role: Roles

    def __len__(self) -> int:
        return len(self.z0)

    @property
    def clean(self) -> bool:
        """Source and target are equal."""
        return bool((self.z0 == self.z1).all())
