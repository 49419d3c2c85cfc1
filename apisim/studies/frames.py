"""Every column of every frame of a study: its kind, its unit, what it means.

Written as those of runs (:mod:`apisim.results.frame_tables`). ``{path}`` stands for a column for
each path that was varied, ``{measure}`` for one for each measure, whose unit is the measure's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from apisim.results.frame_columns import Column, read_columns, typed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STUDY_FRAMES", "study_columns", "study_frame"]

_DIFFERENCE: Final = """\
base | real | the measure's | of the base, mean over replications
value | real | the measure's | of the other, mean over replications
difference | real | the measure's | the other less the base
low | real | the measure's | lower end of its 95 % interval; NaN with one replication
high | real | the measure's | upper end
"""
#: The first line says what a row is.
STUDY_FRAMES: Final = {
    "sweep": """
= a point of a sweep and a replication: apisim.sweep(...).frame()
point | whole | | number of the point, in the order of the design
{path} | as varied | | a column for each path, its values as they were given
replication | whole | | from 0; the same draws at each point
{measure} | real | the measure's | a column for each: latency p(99), cost_run value, ...
digest | text | | sum of the hashes of the rows, hexadecimal
""",
    "compare": f"""
= a variant and a measure: apisim.compare(...).frame()
variant | name | | name of the variant
measure | name | | metric and statistic
{_DIFFERENCE}
verdict | name | | equal, lower, higher, not shown or not measured
gain | real | | how many times pairing lowers the variance of the difference
""",
    "search": """
= a setting that was tried: apisim.search(...).frame()
{path} | as varied | | a column for each path
replications | whole | | simulated at this setting
{measure} | real | the measure's | the objective and what conditions are about, means
{measure} low | real | the measure's | lower end of its 95 % interval
{measure} high | real | the measure's | upper end
verdict | name | | feasible, infeasible or unclear
""",
    "advise": f"""
= a candidate and a measure: apisim.advise(...).frame()
candidate | name | | what would be changed
measure | name | | metric and statistic
{_DIFFERENCE}
p | real | share | p-value of the paired t test
p_holm | real | share | the same, corrected for all that was tried (Holm)
verdict | name | | of the candidate
""",
    "limits": """
= a limit: apisim.limits(...).frame("limits")
quota | text | | its name, or the key of a limit of the scenario's own
service | name or none | | service code of Service Quotas
code | text or none | | quota code of Service Quotas, where a source names it
kind | name | | what kind of limit it is
of | name | | what it limits: an API, a route, a function, account
unit | name | | of limit, used and request
limit | real | unit | the limit; NaN where it is not known
origin | name | | default, scenario or fixed
used | real | unit | most that was used, mean over replications; NaN where that is not measured
used_low | real | unit | lower end of its 95 % interval
used_high | real | unit | upper end
most_used | real | unit | most in any replication
headroom | real | | part of the limit that is left; below 0 where more was asked for
refused | whole | requests | at this traffic, summed over replications
multiple_without | real | | largest multiple of the traffic that was tried without a refusal
multiple_refused | real | | smallest at which it refused; NaN for never
request | real | unit | value to ask for; NaN where what there is will do
requestable | yes or no | | whether AWS takes a request for more
decided_by | name | | who decides about it
""",
    "envelope": """
= a launch of so much traffic for so long: apisim.limits(...).frame("envelope")
multiple | real | | of the scenario's busiest 10 s
rate_rps | real | 1/s | the same as a rate
hit_ratio | real | share | of the routes with a cache; NaN without one
duration_s | real | s | how long it lasts
kind | name or none | | limit that is met first within that time; none: none is
of | name or none | | what that limits
at_s | real | s | when that is
""",
    "assumptions": """
= an assumption, another value and a figure that it changes: apisim.assumptions(...).frame()
assumption | name | | path of the setting or the input
is_input | yes or no | | whether it is an input of the scenario; else AWS leaves it open
assumed | text | | its value
alternative | text | | the other value
measure | name | | metric and statistic
base | real | the measure's | as assumed, mean over replications
value | real | the measure's | with the other value
change | real | | part of the base by which it changes; the change itself where that is 0
flips | text | | conditions whose verdict is another one then, with commas between
""",
}


def study_columns(
    name: str, *, paths: Sequence[str] = (), measures: Sequence[str] = ()
) -> tuple[Column, ...]:
    """Columns of a study's frame in their order.

    Parameters
    ----------
    name : str
        A key of :data:`STUDY_FRAMES`.
    paths, measures : sequence of str
        What ``{path}`` and ``{measure}`` stand for.

    Examples
    --------
    >>> columns = study_columns("search", paths=["seed"], measures=["cost_run value"])
    >>> [column.name for column in columns][:4]
    ['seed', 'replications', 'cost_run value', 'cost_run value low']
    """
    columns = read_columns(STUDY_FRAMES[name])
    return tuple(_filled(columns, {"{path}": paths, "{measure}": measures}))


def _filled(columns: Sequence[Column], words: Mapping[str, Sequence[str]]) -> Iterator[Column]:
    plain = {column.name for column in columns}

    def mark_of(column: Column) -> str:
        return next((mark for mark in words if mark in column.name), "")

    for mark, group in groupby(columns, mark_of):
        alike = list(group)
        if not mark:
            yield from alike
        # A path that is a column anyway, as the number of replications of a search.
        for word in (one for one in words.get(mark, ()) if one not in plain):
            yield from (replace(one, name=one.name.replace(mark, word)) for one in alike)


def study_frame(
    name: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    paths: Sequence[str] = (),
    measures: Sequence[str] = (),
) -> "pd.DataFrame":
    """Rows as a frame, its columns those of the schema, also without rows."""
    import pandas as pd

    columns = study_columns(name, paths=paths, measures=measures)
    table = pd.DataFrame(list(rows), columns=[column.name for column in columns])
    return typed(table, columns)
