"""``docs/pricing-examples.md``: published bills beside ours.

python -m tests.docs.pricing_examples    writes the page, from the folder of real material
                                         (APISIM_SHARED, or ``shared`` beside the project)
"""

import os
import textwrap
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from apisim.pricing.exact import plain, rounded
from tests.support.pricing_examples import examples_in, metered, quantities_in, rated

__all__ = ["PAGE", "exact_totals", "page"]

_PROJECT: Final = Path(__file__).resolve().parent.parent.parent
PAGE: Final = _PROJECT / "docs" / "pricing-examples.md"

_SAID: Final = {
    "exact": "the same",
    "rounded": "the same, fewer digits printed",
    "differs": "another convention",
    "wrong": "**wrong in print**",
    "computed": "computed, not printed",
}


def exact_totals(examples: Mapping[str, dict[str, Any]]) -> dict[str, Decimal]:
    """What ``apisim price`` makes of each example; a saving is the difference of two."""
    totals: dict[str, Decimal] = {}
    for name, example in examples.items():
        if example["line_items"]:
            bill = rated(example["pricebook"], quantities_in(example), example["free_tier"])
            totals[name] = bill.total
    for name, example in examples.items():
        if not example["line_items"]:
            inputs = example["inputs"]
            totals[name] = totals[inputs["without"]] - totals[inputs["with"]]
    return totals


def _published(example: Mapping[str, Any]) -> str:
    published = example.get("published") or {}
    total = published.get("total") or published.get("saving_per_day")
    return "-" if total is None else f"{total}"


def _metering(example: Mapping[str, Any]) -> str:
    if not example["line_items"]:
        return "-"
    known = {meter: Decimal(quantity) for meter, quantity in quantities_in(example).items()}
    return "the same" if metered(example) == known else "differs"


def page(shared: Path) -> str:
    """Text of the page.

    Parameters
    ----------
    shared : Path
        Folder with the examples under ``aws``.
    """
    examples = examples_in(shared)
    totals = exact_totals(examples)
    agree = sum(totals[key] == Decimal(one["total"]["exact"]) for key, one in examples.items())
    lines = [
        "# Published bills beside ours",
        "",
        "Written by `python -m tests.docs.pricing_examples` and compared by",
        "`tests/docs/test_pricing_examples.py`. Each bill is that of `apisim price`, every digit;",
        '"metered" says whether what the example starts from (calls, bytes, hours) comes to its',
        "quantities, too. Where the printed figure is wrong, ours is the sum of what it lists.",
        "",
        f"{len(examples)} examples; {agree} agree with the exact total to the last digit.",
        "",
        "| example | book | published | ours, exact | ours, to the cent | metered | the print is |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, example in examples.items():
        row = (
            f"`{name}`: {example['title']}",
            f"`{example['pricebook']}`",
            _published(example),
            plain(totals[name]),
            f"{rounded(Fraction(totals[name]), Decimal('0.01')):.2f}",
            _metering(example),
            _SAID[example["verdict"]],
        )
        lines.append(f"| {' | '.join(row)} |")
    lines += ["", "## Where the print is wrong, or rounds", ""]
    for name, example in examples.items():
        if example["verdict"] in ("wrong", "differs", "rounded") and example.get("notes"):
            text = " ".join(f"- `{name}`: {example['notes']}".split())
            lines.append(
                textwrap.fill(
                    text, 100, subsequent_indent="  ",
                    break_long_words=False, break_on_hyphens=False,
                )
            )  # fmt: skip
    lines += ["", "## Where they were found", ""]
    for name, example in examples.items():
        text = " ".join(f"- `{name}`: {example['source']['where']}".split())
        lines.append(
            textwrap.fill(
                text, 100, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
            )
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    shared_folder = os.environ.get("APISIM_SHARED") or _PROJECT.parent / "shared"
    PAGE.write_text(page(Path(shared_folder)), encoding="utf-8")
