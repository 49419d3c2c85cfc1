"""Published bills to the last digit through ``apisim price``, and the page that says so."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pricing_examples import PAGE, exact_totals, page
from tests.support.pricing_examples import FILE, examples_in, metered, quantities_in, rated

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def examples(shared: Path) -> dict[str, dict[str, Any]]:
    if not (shared / FILE).is_file():
        pytest.skip(f"no worked pricing examples: {shared / FILE} is missing")
    return examples_in(shared)


def test_every_example_has_its_exact_total_through_the_command(
    examples: dict[str, dict[str, Any]],
) -> None:
    assert len(examples) >= 26
    exact = {name: Decimal(example["total"]["exact"]) for name, example in examples.items()}
    assert exact_totals(examples) == exact


def test_every_line_tier_and_invoice_is_the_examples(examples: dict[str, dict[str, Any]]) -> None:
    for name, example in examples.items():
        if not example["line_items"]:
            continue
        bill = rated(example["pricebook"], quantities_in(example), example["free_tier"])
        assert bill.invoice == Decimal(example["total"]["rounded"]), name
        lines = {line["meter"]: Decimal(line["amount"]) for line in example["line_items"]}
        assert bill.lines == {meter: amount for meter, amount in lines.items() if amount}, name
        for line in example["line_items"]:
            keys = ("quantity", "price_per_unit", "amount")
            parts = [tuple(Decimal(t[k]) for k in keys) for t in line.get("tiers") or [line]]
            assert bill.tiers[line["meter"]] == parts, name


def test_the_inputs_of_every_example_come_to_its_quantities(
    examples: dict[str, dict[str, Any]],
) -> None:
    for name, example in examples.items():
        known = {meter: Decimal(quantity) for meter, quantity in quantities_in(example).items()}
        assert metered(example) == known, name


def test_what_is_wrong_in_print_is_not_repeated(examples: dict[str, dict[str, Any]]) -> None:
    wrong = {key: one for key, one in examples.items() if one["verdict"] == "wrong"}
    assert len(wrong) >= 3
    totals = exact_totals(examples)
    for name, example in wrong.items():
        published = example["published"]
        printed = published.get("total") or published["saving_per_day"]
        assert totals[name] == Decimal(example["total"]["exact"]) != Decimal(printed), name


@pytest.mark.parametrize("name", ["aws-rest-5m-3kb", "infracost-rest-21b", "seed-caching-on"])
def test_the_program_itself_says_the_same(name: str, examples: dict[str, dict[str, Any]]) -> None:
    example = examples[name]
    options = [f"--quantity={key}={value}" for key, value in quantities_in(example).items()]
    command = ["price", "--book", example["pricebook"], *options]
    done = subprocess.run(
        [sys.executable, "-m", "apisim", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    exact = Decimal(example["total"]["exact"])
    assert f"${exact:,.2f}" in done.stdout or f"exactly {exact}" in done.stdout


def test_the_page_is_what_the_examples_make_it(
    shared: Path, examples: dict[str, dict[str, Any]]
) -> None:
    hint = "write it anew: python -m tests.docs.pricing_examples"
    assert PAGE.read_text(encoding="utf-8") == page(shared), hint
