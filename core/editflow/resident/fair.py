"""A fair queue: owners take turns, and the jobs of one owner come in order of arrival."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Generic, TypeVar

Owner = TypeVar("Owner")
Item = TypeVar("Item")


class FairQueue(Generic[Owner, Item]):
    """Round robin over owners; an owner's first item has the turn until it is removed."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[Owner, deque[Item]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def __iter__(self) -> Iterator[Item]:
        for items in self._waiting.values():
            yield from items

    def add(self, owner: Owner, item: Item) -> None:
        """Behind the owner's other items; a new owner is the last one to have its turn."""
        self._waiting.setdefault(owner, deque()).append(item)

    def turn(self) -> tuple[Owner, Item] | None:
        """The item whose turn it is, left in place; its owner's next turn comes after all others'."""
        owner = next(iter(self._waiting), None)
        if owner is None:
            return None
        self._waiting.move_to_end(owner)
        return owner, self._waiting[owner][0]

    def remove(self, owner: Owner, item: Item) -> None:
        """Take an item out, if it is there."""
        items = self._waiting.get(owner, deque())
        if item in items:
            items.remove(item)
        if not items:
            self._waiting.pop(owner, None)
