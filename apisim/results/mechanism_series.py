"""What happened inside over time: functions, endpoints, buckets and caches, by period.

The engine's records say how things stood at the end of each period; here they are what happened in
it. Over replications counts are summed, peaks are the highest, least levels the lowest, and means
over time the mean; a replication that has ended counts as idle in what is left of the others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from apisim.engine.mechanism_records import MechanismRecords

__all__ = ["MechanismSeries"]

_SECOND_NS: Final = 1_000_000_000
_KINDS: Final = ("functions", "endpoints", "buckets", "caches")
#: Fields that are counted or integrated since the start of the run.
_SO_FAR: Final = frozenset(
    {
        "invocations", "cold_starts", "throttles", "busy_ns", "waiting_ns", "served", "refused",
        "admitted", "evictions",
    }
)  # fmt: skip
#: What is least in a period after the end of a replication.
_NONE: Final = np.iinfo(np.int64).max

_Values = NDArray[Any]  # [n_mechanisms, n_periods]


def _latest(values: _Values) -> _Values:
    return values[..., -1]


def _sum(values: _Values) -> _Values:
    return values.sum(axis=-1)  # type: ignore[no-any-return]


def _most(values: _Values) -> _Values:
    return values.max(axis=-1)  # type: ignore[no-any-return]


def _least(values: _Values) -> _Values:
    return values.min(axis=-1)  # type: ignore[no-any-return]


#: How the values of several periods, or of several replications, make one; sums if not named here.
_OF_PERIODS: Final[Mapping[str, Callable[[_Values], _Values]]] = {
    "peak": _most, "least": _least, "limit": _latest, "entries": _latest, "bytes": _latest,
}  # fmt: skip
_OF_REPLICATIONS: Final[Mapping[str, Callable[[_Values], _Values]]] = {
    "peak": _most, "least": _least, "limit": _most,
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class MechanismSeries:
    """The mechanisms by period, warm-up included, over replications.

    Attributes
    ----------
    period_ns : int
        Length of a period [ns]: 1 s, doubled until 512 periods are enough.
    lasted : int64[n_periods]
        Replications that lasted into the period.
    functions, endpoints, buckets, caches : dict of str to array[n_mechanisms, n_periods]
        By the fields of ``engine/mechanism_records.py``: counts and integrals in the period
        (``..._ns`` became ``..._s``, in seconds), summed; ``peak``, ``least`` and ``limit`` in any
        replication; ``entries`` and ``bytes`` at its end, summed.
    """

    period_ns: int
    lasted: NDArray[np.int64]
    functions: Mapping[str, _Values]
    endpoints: Mapping[str, _Values]
    buckets: Mapping[str, _Values]
    caches: Mapping[str, _Values]

    @classmethod
    def of(cls, records: MechanismRecords) -> "MechanismSeries":
        """Those of one replication that has come to its end."""
        n_periods = int(records.head["period"][0])
        return cls(
            int(records.head["period_ns"][0]),
            np.ones(n_periods, np.int64),
            *(_in_between(getattr(records, kind)[:, :n_periods]) for kind in _KINDS),
        )

    @property
    def n_periods(self) -> int:
        """Periods up to the end of the longest replication."""
        return len(self.lasted)

    def in_periods(self, period_ns: int, n_periods: int) -> "MechanismSeries":
        """The same in longer periods (a multiple of its own), as many as asked for or more."""
        n_joined = period_ns // self.period_ns
        n_longer = -(-self.n_periods // n_joined)
        # The last of the longer periods may be short of some: what is missing changes nothing.
        missing = ((0, 0), (0, n_longer * n_joined - self.n_periods))

        def longer(name: str, values: _Values) -> _Values:
            made = np.full(
                (len(values), max(n_longer, n_periods)), _NONE if name == "least" else 0
            ).astype(values.dtype)
            if n_longer:
                together = _OF_PERIODS.get(name, _sum)
                whole = np.pad(values, missing, mode="constant" if together is _sum else "edge")
                made[:, :n_longer] = together(whole.reshape(len(values), n_longer, n_joined))
            return made

        lasted = np.zeros(max(n_longer, n_periods), np.int64)
        lasted[:n_longer] = np.append(self.lasted[n_joined - 1 :: n_joined], self.lasted[-1:])[
            :n_longer
        ]
        return MechanismSeries(
            period_ns,
            lasted,
            *(
                {name: longer(name, values) for name, values in getattr(self, kind).items()}
                for kind in _KINDS
            ),
        )

    def joined(self, other: "MechanismSeries") -> "MechanismSeries":
        """Both together, in the longer of the two periods."""
        period_ns = max(self.period_ns, other.period_ns)
        one = self.in_periods(period_ns, other.in_periods(period_ns, 0).n_periods)
        two = other.in_periods(period_ns, one.n_periods)
        return MechanismSeries(
            period_ns,
            one.lasted + two.lasted,
            *(
                {
                    name: _OF_REPLICATIONS.get(name, _sum)(
                        np.stack([values, getattr(two, kind)[name]], axis=-1)
                    )
                    for name, values in getattr(one, kind).items()
                }
                for kind in _KINDS
            ),
        )


def _in_between(rows: NDArray[np.void]) -> dict[str, _Values]:
    """What happened in each period, from how things stood at their ends."""
    found: dict[str, _Values] = {}
    for name in rows.dtype.names or ():
        values = rows[name].copy()
        if name in _SO_FAR:
            # Integrals may have gone through 2**64; their differences are right all the same.
            values = np.diff(values, axis=1, prepend=np.int64(0))
        if name.endswith("_ns"):
            found[f"{name[:-3]}_s"] = values / _SECOND_NS
        else:
            found[name] = values
    return found
