"""``docs/frames.md``: every column of every frame, from the schema that frames are made by.

python -m tests.docs.frames    writes the page
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from apisim.results.frame_columns import KINDS, Column, about_frame, columns_of_frame
from apisim.results.tables import TABLES

__all__ = ["PAGE", "page"]

PAGE: Final = Path(__file__).resolve().parent.parent.parent / "docs" / "frames.md"

_HEAD: Final = """\
# Frames

`result.frame(NAME)` is a tidy pandas DataFrame: a row is an observation, a column a variable,
with its unit in its name where it has one. Columns, their order and their dtypes are the same for
every result, also where a frame has no rows. `apisim.read_requests(FILE)` is the frame of the
rows that `apisim run --requests FILE` wrote.

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
(`str` from version 3). A *share* lies in [0, 1]; a *currency* is the bill's. The same tables are
in the files of `--out DIR` and of `--export frame=NAME.parquet`; in CSV files amounts of money
are exact decimals. Counts leave the warm-up out and are sums over replications, unless the frame
says something else.

Frames of studies (`sweep`, `compare`, `search`, `limits`) have a column for each path that was
varied: [studies.md](studies.md).
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(_section(name) for name in ("requests", *TABLES))])


def _section(name: str) -> str:
    lines = [f"## {name}", "", f"A row is {about_frame(name)}.", ""]
    lines += ["| column | kind | unit | meaning |", "|---|---|---|---|"]
    return "\n".join([*lines, *_rows(columns_of_frame(name)), ""])


def _rows(columns: tuple[Column, ...]) -> Iterator[str]:
    for column in columns:
        assert column.kind in KINDS
        name = "others" if column.name == "*" else f"`{column.name}`"
        meaning = column.meaning.replace("POST @connections", "`POST @connections`")
        yield f"| {name} | {column.kind} | {column.unit} | {meaning} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
