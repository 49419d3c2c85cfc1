"""What the measures of a sweep are sensitive to: Sobol indices, as rows and as tables."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, variance
from typing import Any

from apisim.results.section import Section
from apisim.results.wording import share_text
from apisim.studies.points import Row
from apisim.studies.saltelli import Index, indices_of

__all__ = ["noise_share", "sensitivity_rows", "sensitivity_tables"]


def sensitivity_rows(
    rows: Mapping[int, Sequence[Row]], n_points: int, paths: Sequence[str], seed: int
) -> list[dict[str, Any]]:
    """One row for each measure and path: its indices with their intervals.

    Parameters
    ----------
    rows : dict of int to sequence of Row
        By position of the point.
    n_points : int
        How many points the design has: none of them may be missing.
    paths : sequence of str
        What was varied.
    seed : int
        Of the bootstrap.
    """
    if len(rows) < n_points:
        return []
    found = []
    for label in rows[0][0].values:
        means = [fmean(row.values[label] for row in rows[at]) for at in range(n_points)]
        noise = noise_share([[row.values[label] for row in rows[at]] for at in range(n_points)])
        indices = indices_of(means, paths, seed)
        found += [{"measure": label, **_entry(one), "noise": noise} for one in indices]
    return found


def noise_share(values: Sequence[Sequence[float]]) -> float:
    """The most that chance may have of the variance between points; NaN with one replication.

    Parameters
    ----------
    values : sequence of sequence of float
        Of each point its replications. What their chance has in common it shares with all points,
        so the true part is smaller.

    Examples
    --------
    >>> noise_share([[1.0, 1.2], [3.0, 3.2]])
    0.005
    """
    if any(len(one) < 2 for one in values):
        return math.nan
    between = variance([fmean(one) for one in values])
    within = fmean(variance(one) / len(one) for one in values)
    return round(min(1.0, within / between), 6) if between > 0 else math.nan


def sensitivity_tables(
    rows: Sequence[Mapping[str, Any]], labels: Sequence[str], names: Sequence[str]
) -> list[Section]:
    """A table for each measure, what stands for most of it first.

    Parameters
    ----------
    rows : sequence of dict
        As :func:`sensitivity_rows` gives them.
    labels : sequence of str
        Measures to be shown.
    names : sequence of str
        Short ones of the paths, in the order of the rows.
    """
    tables = []
    for label in labels:
        ours = [row for row in rows if row["measure"] == label]
        named = sorted(zip(names, ours, strict=False), key=lambda one: -one[1]["total"])
        if not named:
            continue
        noise = ours[0]["noise"]
        told = () if math.isnan(noise) else (f"of it chance has at most {share_text(noise)}",)
        tables.append(
            Section(
                title=f"Shares of the variance of {label}",
                columns=("Value", ">By itself", ">95% interval", ">In all", ">95% interval"),
                rows=tuple(
                    (
                        name,
                        f"{row['first']:.3f}",
                        f"{row['first_low']:.3f} to {row['first_high']:.3f}",
                        f"{row['total']:.3f}",
                        f"{row['total_low']:.3f} to {row['total_high']:.3f}",
                    )
                    for name, row in named
                ),
                marks={},
                remarks=told,
            )
        )
    return tables


def _entry(one: Index) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Index.__slots__}
