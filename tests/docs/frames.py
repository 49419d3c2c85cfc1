"""``docs/frames.md``: every column of every frame, from the schema that frames are made by.

python -m tests.docs.frames    writes the page
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from apisim.results.frame_columns import KINDS, Column, about_frame, read_columns
from apisim.results.frame_tables import FRAMES
from apisim.results.tables import TABLES
from apisim.studies.frames import STUDY_FRAMES

__all__ = ["PAGE", "page"]

PAGE: Final = Path(__file__).resolve().parent.parent.parent / "docs" / "frames.md"

_HEAD: Final = """\
# Frames

`result.frame(NAME)` is a tidy pandas DataFrame: a row is an observation, a column a variable,
with its unit in its name where it has one. Columns, their order and their dtypes are the same for
every result, also where a frame has no rows, but for two: {differing}.
`apisim.read_requests(FILE)` is the frame of the rows that `apisim run --requests FILE` wrote.

```python
import tempfile

import apisim

with tempfile.TemporaryDirectory() as folder:
    rows = f"{folder}/requests.csv"
    result = apisim.run("scenarios/slow-database.yaml", requests=rows)
    requests = apisim.read_requests(rows)
routes = result.frame("routes").set_index("route")
by_route = requests.groupby("route", observed=True)["latency_ns"]
mean_ms = by_route.mean()["POST /checkout"] / 1e6
assert abs(mean_ms - routes.latency_ms_mean["POST /checkout"]) < 1e-3
assert list(requests["phase"].cat.categories) == ["calm", "rush", "after"]
```

In words: a *name* is a category, its categories in the order in which they appear; *whole* is
`int64` (or `Int64`, where *none* is possible), *real* `float64` (NaN for what does not exist),
*yes or no* `bool` (`boolean`, where *unknown* is possible); *text* is what pandas makes of text
(`str` from version 3); what was *varied* is numbers where all of its values are numbers, else
text. A *share* lies in [0, 1]; a *currency* is the bill's. The same tables are
in the files of `--out DIR` and of `--export frame=NAME.parquet`; in CSV files amounts of money
are exact decimals. Counts leave the warm-up out and are sums over replications, unless the frame
says something else.

Frames of studies ([studies.md](studies.md), [limits.md](limits.md)) are at the end of the page.
"""


def page() -> str:
    """The whole page."""
    head = _HEAD.replace("{differing}", _differing())
    of_runs = [_section(name, FRAMES[name]) for name in ("requests", *TABLES)]
    of_studies = [_section(name, schema) for name, schema in STUDY_FRAMES.items()]
    return "\n".join([head, *of_runs, *of_studies])


def _differing() -> str:
    """Which frames of runs have columns that another result's may not have."""
    found = []
    for name, schema in FRAMES.items():
        columns = read_columns(schema)
        if some := [f"`{one.name}`" for one in columns if not one.is_always]:
            found.append(f"`{name}` has {', '.join(some)}\nonly with a WebSocket API")
        if any(one.name == "*" for one in columns):
            found.append(f"`{name}` has a\ncolumn for each measure and for what thresholds ask for")
    assert len(found) == 2, found  # as the text says
    return "; ".join(found)


def _section(name: str, schema: str) -> str:
    lines = [f"## {name}", "", f"A row is {about_frame(schema)}.", ""]
    lines += ["| column | kind | unit | meaning |", "|---|---|---|---|"]
    return "\n".join([*lines, *_rows(read_columns(schema)), ""])


def _rows(columns: tuple[Column, ...]) -> Iterator[str]:
    for column in columns:
        assert column.kind in KINDS
        name = "others" if column.name == "*" else f"`{column.name}`"
        if "{" in name:
            name = name.strip("`").translate({ord("{"): "*", ord("}"): "*"})
        meaning = column.meaning.replace("POST @connections", "`POST @connections`")
        yield f"| {name} | {column.kind} | {column.unit} | {meaning} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
