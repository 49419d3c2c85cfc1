"""``apisim price``: the bill of what is given, as a table and as data."""

import csv
import io
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from apisim.pricing import load_book, rate
from tests.cli.conftest import Cli

REST = "apigateway.rest.requests"
HTTP = "apigateway.http.requests"
OUT = "datatransfer.out.internet"


def test_the_object_is_that_of_a_run_with_book_and_currency_beside(cli: Cli) -> None:
    code, out, err = cli("price", "--quantity", f"{REST}=21_000_000_000", "--json")
    assert (code, err) == (0, "")
    read = json.loads(out)
    bill = rate(load_book("aws-us-east-1"), {REST: 21_000_000_000}).to_dict()
    assert {key: read[key] for key in bill} == bill
    assert read["total"] == "49763.1"
    assert read["lines"][0]["tiers"][3] == {
        "quantity": "1000000000",
        "price_per_unit": "0.00000151",
        "amount": "1510",
    }
    assert (read["book"], read["currency"]) == ("aws-us-east-1@2026.09.11", "USD")
    assert (read["region"], read["invoice_total"]) == ("us-east-1", "49763.10")


def test_every_digit_is_kept(cli: Cli) -> None:
    code, out, _ = cli("price", "--quantity", f"{OUT}=14.30511474609375", "--json")
    assert code == 0
    assert json.loads(out)["total"] == "1.2874603271484375"
    assert (
        "exactly 1.2874603271484375" in cli("price", "--quantity", f"{OUT}=14.30511474609375").out
    )
    assert "exactly" not in cli("price", "--quantity", f"{REST}=1000000").out


def test_the_table_is_a_runs(cli: Cli) -> None:
    code, out, err = cli("price", "--quantity", f"{HTTP}=432000000")
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["Bill", "(aws-us-east-1@2026.09.11)"]
    assert [HTTP, "300,000,000", "requests", "$1.00/million", "$300.00"] in lines
    assert ["132,000,000", "requests", "$0.90/million", "$118.80"] in lines
    assert ["Total,", "USD", "$418.80"] in lines
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(("meter", "total"), [(REST, "350"), (HTTP, "100")])
def test_the_chapters_comparison_is_a_command_each(meter: str, total: str, cli: Cli) -> None:
    asked = ("price", "--book", "seed-chapter", "--quantity", f"{meter}=100_000_000", "--json")
    assert json.loads(cli(*asked).out)["total"] == total


def test_meters_are_billed_in_the_order_of_the_book(cli: Cli) -> None:
    options = ["--quantity", f"{OUT}=1", "--quantity", f"{HTTP}=1", "--quantity", f"{REST}=1"]
    read = json.loads(cli("price", *options, "--json").out)
    assert [line["meter"] for line in read["lines"]] == [REST, HTTP, OUT]


def test_a_file_and_options_are_one_bill(cli: Cli, here: Path) -> None:
    (here / "month.yaml").write_text(
        f'{REST}: "5000000"\n{OUT}: 14.5\nmonth_to_date: {{{HTTP}: 300000000}}\n', "utf-8"
    )
    code, out, _ = cli(
        *("price", "--quantities", "month.yaml", "--quantity", f"{HTTP}=1000000", "--json"),
    )
    assert code == 0
    assert Decimal(json.loads(out)["total"]) == Decimal("17.5") + Decimal("1.305") + Decimal("0.9")
    twice = cli("price", "--quantities", "month.yaml", "--quantity", f"{REST}=1")
    assert twice.code == 2
    assert "is given twice: 5000000 and 1" in twice.err
    before = cli("price", "--quantity", f"{HTTP}=1000000", "--month-to-date", f"{HTTP}=300000000")
    assert "$0.90/million" in before.out


def test_free_tiers_are_applied_by_name(cli: Cli) -> None:
    asked = ("price", "--quantity", f"{REST}=1500000", "--quantity", "lambda.requests=1", "--json")
    assert json.loads(cli(*asked).out)["total"] == "5.2500002"
    plans = ("--free-tier", "legacy-12-month", "--free-tier", "always-free")
    read = json.loads(cli(*asked, *plans).out)
    assert read["total"] == "1.75"
    assert read["lines"][0]["tiers"][0]["free_tier"] == "legacy-12-month"
    assert read["free_tier"] == ["legacy-12-month", "always-free"]


def test_what_has_no_price_is_named_and_not_charged(cli: Cli) -> None:
    code, out, _ = cli(
        *("price", "--book", "aws-apigateway-regions/eu-west-2"),
        *("--quantity", f"{HTTP}=1000000", "--quantity", "lambda.requests=1000000"),
    )
    assert code == 0
    assert "unpriced" in out
    assert "has no price for it in eu-west-2" in " ".join(out.split())
    assert "$1.16\n" in out


@pytest.mark.parametrize(("day", "is_old"), [("2027-09-11", False), ("2027-09-12", True)])
def test_a_book_older_than_a_year_is_named_with_its_age(day: str, is_old: bool, cli: Cli) -> None:
    read = json.loads(cli("price", "--quantity", f"{REST}=1", "--date", day, "--json").out)
    assert bool(read["notes"]) == is_old
    if is_old:
        assert "are of 2026-09-11, 366 days before 2027-09-12" in read["notes"][0]


def test_nothing_used_costs_nothing(cli: Cli) -> None:
    read = json.loads(cli("price", "--quantity", f"{REST}=0", "--json").out)
    assert (read["total"], read["lines"]) == ("0", [])
    assert "$0.00" in cli("price", "--quantity", f"{REST}=0").out


def test_a_book_of_ones_own_is_found_from_here(cli: Cli, here: Path) -> None:
    (here / "prices").mkdir()
    (here / "prices" / "ours.yaml").write_text(
        "schema: apisim/pricebook/v1\nid: ours\nversion: '1'\nbase: aws-us-east-1\n"
        "sources: {CONTRACT: {title: our contract, locator: drawer 7}}\n"
        "every_meter: {off: 10%, sources: [CONTRACT]}\n",
        encoding="utf-8",
    )
    read = json.loads(
        cli("price", "--book", "prices/ours.yaml", "--quantity", f"{REST}=1000000", "--json").out
    )
    assert (read["total"], read["book"]) == ("3.15", "prices/ours.yaml@1")
    assert read["notes"] == [f"{REST}: 10% off aws-us-east-1@2026.09.11"]


def test_a_scenario_can_have_an_overlay_and_its_start_decides_the_age(cli: Cli, here: Path) -> None:
    (here / "ours.yaml").write_text(
        "schema: apisim/pricebook/v1\nid: ours\nversion: '1'\nbase: aws-us-east-1\n"
        "sources: {CONTRACT: {title: our contract, locator: drawer 7}}\n"
        "every_meter: {off: 100%, sources: [CONTRACT]}\n",
        encoding="utf-8",
    )
    quick = ("run", "small.yaml", "--engine", "simpy", "--json", "--set", "pricing.book=ours.yaml")
    bills = [
        json.loads(cli(*quick, "--set", f"start={year}-01-01T00:00:00Z").out)["bill"]["run"]
        for year in ("1998", "2030")
    ]
    assert [bill["total"] for bill in bills] == ["0", "0"]
    aged = [[note for note in bill["notes"] if "price list" in note] for bill in bills]
    assert aged[0] == []
    assert "1208 days before 2030-01-01" in aged[1][0]


def test_it_needs_neither_engine_nor_arrays(here: Path) -> None:
    code = (
        "import sys; from apisim.cli.main import command_line; "
        f"code = command_line(['price', '--quantity', '{REST}=1', '--json']); "
        "heavy = [name for name in ('numba', 'simpy', 'pandas') if name in sys.modules]; "
        "sys.exit(code or ' '.join(heavy) or 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_bill_is_printed_in_four_forms(cli: Cli) -> None:
    asked = ("price", "--date", "2026-11-17", "--quantity", f"{REST}=400_000_000")
    assert cli(*asked, "--format", "table").out == cli(*asked).out
    assert cli(*asked, "--format", "json").out == cli(*asked, "--json").out
    assert cli(*asked, "--format", "csv").out.splitlines() == [
        "bill,meter,tier,free_tier,quantity,unit,price_per_unit,amount",
        f"bill,{REST},1,,333000000,Requests,0.0000035,1165.5",
        f"bill,{REST},2,,67000000,Requests,0.0000028,187.6",
    ]
    rows = list(csv.DictReader(io.StringIO(cli(*asked, "--format", "focus").out)))
    assert [row["BilledCost"] for row in rows] == ["1165.5", "187.6"]
    assert rows[0]["ChargePeriodStart"] == "2026-11-01T00:00:00Z"


def test_what_has_no_price_is_told_where_focus_has_no_row_for_it(cli: Cli) -> None:
    asked = ("price", "--quantity", "sns.fifo.publishes=3", "--format", "focus")
    code, out, err = cli(*asked)
    assert (code, len(out.splitlines())) == (0, 1)
    assert err.startswith("note: sns.fifo.publishes has no row: ")


def test_two_forms_at_once_are_refused(cli: Cli) -> None:
    code, _, err = cli("price", "--quantity", f"{REST}=1", "--json", "--format", "focus")
    assert (code, err) == (2, "error: --json cannot stand beside --format focus\n")


MONTHS = f"""\
months:
  - {{{REST}: 41_000_000}}
  - {{{REST}: 41_000_000}}
  - {{{REST}: 41_000_000}}
first_month: 2026-11
account_months: 10
credits: [{{name: new account, amount: 200, until: 2026-12-31}}]
"""


def test_months_are_rated_one_by_one_and_credits_pay(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "months.yaml"
    file.write_text(MONTHS)
    asked = ("price", "--quantities", str(file), "--free-tier", "legacy-12-month")
    read = json.loads(cli(*asked, "--json").out)
    assert [month["total"] for month in read["months"]] == ["140", "140", "143.5"]
    assert [month["due"] for month in read["months"]] == ["0", "80", "143.5"]
    assert (read["total"], read["credits"], read["due"]) == ("423.5", "-200", "223.5")
    lines = [line.split() for line in cli(*asked).out.splitlines()]
    assert ["2026-11", "bill", "$140.00"] in lines
    assert ["credit:", "new", "account", "-$140.00"] in lines
    assert ["To", "pay,", "USD", "$223.50"] in lines
    rows = list(csv.DictReader(io.StringIO(cli(*asked, "--format", "focus").out)))
    assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal("223.5")
    paid = [row for row in rows if row["ChargeCategory"] == "Credit"]
    assert [row["BilledCost"] for row in paid] == ["-140", "-60"]
    assert "2026-12,credit: new account,0,,,,,-60" in cli(*asked, "--format", "csv").out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("months: 3", ":1:1: months: must be a list of 1 to 1200 months, got 3"),
        ("months: [4]", ":1:10: months.0: must be a mapping of meters to quantities, got 4"),
        ("months: [{apigateway.rest.request: 1}]", "did you mean apigateway.rest.requests?"),
        ("months: [{}]\nfirst_month: May", ':2:1: first_month: must be a month, got "May"'),
        ("months: [{}]\nfirst_month: 9999-12", ':2:1: first_month: must be a month, got "9999-12"'),
        ("months: [{}]\naccount_months: 1.5", ":2:1: account_months: must be a whole number"),
        ("months: [{}]\ncredits: 200", ":2:1: credits: must be a list, got 200"),
        ("months: [{}]\ncredits: [200]", ":2:11: credits.0: must be a mapping, got 200"),
        ("months: [{}]\ncredits: [{amount: -1}]", "credits.0.amount: must be above 0"),
        ("months: [{}]\ncredits: [{amount: x}]", "credits.0.amount: must be a decimal number"),
        ("months: [{}]\ncredits: [{amount: 1, until: x}]", "credits.0.until: must be a day"),
        ("months: [{}]\ncredits: [{amount: 1, util: x}]", "did you mean until?"),
        (f"months: [{{}}]\n{REST}: 1", f":2:1: {REST}: cannot stand beside months"),
        (f"{REST}: 1\ncredits: []", ":2:1: credits: needs months"),
    ],
)
def test_a_file_of_months_that_is_wrong_says_where(
    text: str, said: str, cli: Cli, tmp_path: Path
) -> None:
    file = tmp_path / "months.yaml"
    file.write_text(text)
    code, _, err = cli("price", "--quantities", str(file))
    assert code == 2
    assert said in err


def test_months_and_options_are_not_mixed(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "months.yaml"
    file.write_text(MONTHS)
    code, _, err = cli("price", "--quantities", str(file), "--quantity", f"{REST}=1")
    assert code == 2
    assert "cannot stand beside months in the file" in err


def test_a_day_of_no_year_that_a_scenario_has_is_refused(cli: Cli) -> None:
    for day in ("9999-12-31", "0001-01-01"):
        asked = ("price", "--date", day, "--quantity", f"{REST}=1", "--format", "focus")
        refused = cli(*asked)
        assert refused.code == 2
        assert "--date must be from 1970-01-01 to 2199-12-31" in refused.err
