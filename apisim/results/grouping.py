"""Owners of usage, put into groups: sums by group without a loop over owners for each sum."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apisim.pricing.allocation import Group

__all__ = ["Grouping"]


class Grouping:
    """Which group each owner is in.

    Parameters
    ----------
    groups : iterable of Group
        The group of each owner, in their order.

    Attributes
    ----------
    names : list of Group
        The groups, in the order in which they first occur.
    places : int64[n_owners]
        Position of each owner's group among them.
    """

    def __init__(self, groups: Iterable[Group]) -> None:
        at: dict[Group, int] = {}
        places = [at.setdefault(group, len(at)) for group in groups]
        self.names = list(at)
        self.places: NDArray[np.int64] = np.array(places, np.int64)

    def sums(
        self, counts: NDArray[np.int64], owners: Any, measures: Sequence[int], answers: Any
    ) -> dict[Group, int]:
        """Sums of some measures, by group: of some owners, with some answers.

        Parameters
        ----------
        counts : int64[n_owners, n_answers, n_measures]
        owners : bool[n_owners] or None
            All if None.
        measures : sequence of int
        answers : bool[n_answers] or None
            All if None.

        Returns
        -------
        dict of Group to int
            Also of groups whose sum is 0, if one of these owners is in them.
        """
        chosen = np.arange(len(self.places)) if owners is None else np.flatnonzero(owners)
        of_owners = np.zeros(len(chosen), np.int64)
        for measure in measures:
            column = counts[chosen, :, measure]
            of_owners += column.sum(axis=1) if answers is None else column[:, answers].sum(axis=1)
        by_group = np.zeros(len(self.names), np.int64)
        np.add.at(by_group, self.places[chosen], of_owners)
        present = np.zeros(len(self.names), bool)
        present[self.places[chosen]] = True
        return {self.names[at]: int(by_group[at]) for at in np.flatnonzero(present).tolist()}
