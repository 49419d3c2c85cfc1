"""What the columns of frames are: read from one schema, given to pandas, written into the docs.

=====================  ============================================================================
kind                   dtype in a frame
=====================  ============================================================================
``name``               ``category``, its categories in order of appearance
``name or none``       the same, NaN for none
``text``               pandas' own for text: ``object`` until pandas 2, ``str`` from 3
``text or none``       the same, NaN for none
``whole``              ``int64``
``whole or none``      ``Int64``
``real``               ``float64``; NaN for what does not exist
``yes or no``          ``bool``
``yes, no or unknown`` ``boolean``
``as varied``          numbers where all values are numbers, else text
=====================  ============================================================================
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from apisim.gateway.status import ANSWERS, Answer
from apisim.results.frame_tables import FRAMES

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KINDS", "Column", "about_frame", "columns_of_frame", "read_columns", "typed"]

#: dtype of each kind; of names and texts it is what pandas makes of them.
KINDS: Final = {
    "name": "category",
    "name or none": "category",
    "text": "str",
    "text or none": "str",
    "whole": "int64",
    "whole or none": "Int64",
    "real": "float64",
    "yes or no": "bool",
    "yes, no or unknown": "boolean",
    "as varied": "number or str",
}
#: Columns that several frames have.
_FAMILIES: Final = {
    "period": """
time_s | real | s | start of the period, simulated time
period_s | real | s | length of the period: 1 s, doubled as often as a long run needs
""",
    "group": """
requests | whole | requests | how many, summed over replications
rps | real | 1/s | per second in which they could come, a replication
throttled | whole | requests | refused by a bucket
errors_4xx | whole | requests | with a status from 400 to 499, those included
errors_5xx | whole | requests | with a status from 500
cache_hits | whole | requests | answered by the response cache
cache_misses | whole | requests | looked for there in vain
cold_starts | whole | requests | that waited for a new environment of a function
request_bytes | whole | bytes | payloads sent
response_bytes | whole | bytes | payloads received
... latency | at the client, refusals included
... integration_latency | of the integration, where one was called
... gateway_latency | CloudWatch's Latency
calls | whole | calls | logical calls, each with its retries
succeeded | whole | calls | those that succeeded
attempts | whole | requests | that those calls were made of
goodput_rps | real | 1/s | calls that succeeded per second, a replication
availability | real | share | of calls that succeeded
gone | whole | requests | whose client did not wait to the end
out_of_tokens | whole | calls | without tokens for a retry
... call_latency | of calls that succeeded, over their retries; sources with client: only
new_connections | whole | requests | that opened a connection first
reused_connections | whole | requests | that came on an open one
""",
}
#: A column that only some results have.
_MAYBE: Final = ", maybe"
_STATISTICS: Final = {
    "mean": "mean",
    "p50": "median",
    "p90": "90th percentile",
    "p95": "95th percentile",
    "p99": "99th percentile",
    "p99_9": "99.9th percentile",
    "max": "largest",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a frame.

    Attributes
    ----------
    name : str
        ``*`` for any other.
    kind : str
        One of :data:`KINDS`.
    unit : str
        Empty where there is none.
    meaning : str
        In a few words.
    is_always : bool
        Whether every result has it.
    """

    name: str
    kind: str
    unit: str
    meaning: str
    is_always: bool = True


def about_frame(schema: str) -> str:
    """What a row of a frame is, from its lines as :mod:`apisim.results.frame_tables` has them.

    Examples
    --------
    >>> about_frame(FRAMES["functions"])
    'a Lambda function, whole run'
    """
    return schema.strip().splitlines()[0].removeprefix("= ")


@cache
def columns_of_frame(name: str) -> tuple[Column, ...]:
    """Columns of a frame in their order.

    Examples
    --------
    >>> [column.name for column in columns_of_frame("cors")]
    ['api', 'message', 'calls']
    >>> columns_of_frame("latency_series")[1].unit
    's'
    """
    return read_columns(FRAMES[name])


def read_columns(schema: str) -> tuple[Column, ...]:
    """Columns of a frame from its lines, as :mod:`apisim.results.frame_tables` has them."""
    return tuple(_read(schema.strip().splitlines()[1:]))


def _read(lines: list[str]) -> list[Column]:
    columns: list[Column] = []
    for line in filter(None, lines):
        if not line.startswith("... "):
            name, kind, unit, meaning = (part.strip() for part in line.split("|"))
            is_always = not kind.endswith(_MAYBE)
            kind = kind.removesuffix(_MAYBE)
            columns.append(
                Column(name=name, kind=kind, unit=unit, meaning=meaning, is_always=is_always)
            )
            continue
        family, _, of = (part.strip() for part in line.removeprefix("... ").partition("|"))
        if family == "answers":
            columns += map(_of_answer, Answer)
        elif of:
            columns += [
                Column(name=f"{family}_ms_{name}", kind="real", unit="ms", meaning=f"{words} {of}")
                for name, words in _STATISTICS.items()
            ]
        else:
            columns += _read(_FAMILIES[family].strip().splitlines())
    return columns


def _of_answer(answer: Answer) -> Column:
    facts = ANSWERS[answer]
    by = f", refused by {facts.refused_by}" if facts.refused_by else ""
    meaning = f"with outcome {facts.outcome}{by}"
    return Column(name=answer.name.lower(), kind="whole", unit="requests", meaning=meaning)


def typed(table: "pd.DataFrame", columns: Sequence[Column]) -> "pd.DataFrame":
    """The same frame with its columns in the order and of the dtypes of the schema.

    Parameters
    ----------
    table : pandas.DataFrame
        With all columns that every result has.
    columns : sequence of Column
        Of the frame.
    """
    import pandas as pd

    kinds = {column.name: column.kind for column in columns}
    order = [column.name for column in columns if column.name in table]
    order += [str(column) for column in table if column not in kinds]
    found: dict[str, pd.Series[Any]] = {}
    for column in order:
        kind = kinds.get(column) or kinds["*"]
        values = table[column]
        if kind == "name":
            texts = values.fillna("").astype(str)  # an empty field of a file
            found[column] = texts.astype(pd.CategoricalDtype(list(dict.fromkeys(texts))))
        elif kind == "name or none":
            words = pd.CategoricalDtype(list(dict.fromkeys(values.dropna())))
            found[column] = values.astype(words)
        elif kind == "text or none":
            found[column] = values.astype("str").where(values.notna())
        elif kind == "as varied":
            numbers = pd.to_numeric(values, errors="coerce")
            found[column] = values.astype("str") if numbers.isna().any() else numbers
        elif kind == "real":
            found[column] = pd.to_numeric(values, errors="coerce").astype("float64")
        else:
            dtype: Any = KINDS[kind]
            found[column] = values.astype(dtype)
    return pd.DataFrame(found, columns=order)
