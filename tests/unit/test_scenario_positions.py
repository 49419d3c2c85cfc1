"""YAML as plain data with the place of every key."""

from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from apisim.scenario import ScenarioError
from apisim.scenario.positions import MAX_BYTES, Positions, read_yaml


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        read_yaml(text, "x.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_every_key_and_item_has_its_place() -> None:
    places = read_yaml("a: 1\nb:\n  c: [10, 20]\n  d: {e: 1}\n", "x.yaml").positions
    assert places.locate(("a",)) == ("x.yaml", 1, 1)
    assert places.locate(("b", "c")) == ("x.yaml", 3, 3)
    assert places.locate(("b", "c", 1)) == ("x.yaml", 3, 11)
    assert places.locate(("b", "d", "e")) == ("x.yaml", 4, 7)


def test_a_missing_key_is_placed_at_the_nearest_one_above_it() -> None:
    places = read_yaml("b:\n  c: 1\n", "x.yaml").positions
    assert places.locate(("b", "nothing", "there")) == ("x.yaml", 1, 1)
    assert Positions("x.yaml").locate(("a",)) == ("x.yaml", 1, 1)


def test_a_place_counts_characters_not_bytes() -> None:
    places = read_yaml("{é: 1, b: 2}", "x.yaml").positions
    assert places.locate(("b",)) == ("x.yaml", 1, 8)


def test_an_override_holds_for_all_beneath_it() -> None:
    places = Positions("x.yaml", {("a",): (3, 1)}, {("a", "b"): ("--set", 2, 1)})
    assert places.locate(("a", "b", "c")) == ("--set", 2, 1)
    assert places.locate(("a", "c")) == ("x.yaml", 3, 1)


def test_numbers_keep_the_decimal_as_written() -> None:
    data = read_yaml("[0.3, 1e3, 12, 0x1F, 0o17, 1_000, -5, +7, .5]", "x.yaml").data
    exact = [Decimal("0.3"), Decimal(1_000), 12, 31, 15, 1_000, -5, 7, Decimal("0.5")]
    assert data == exact
    assert isinstance(data[0], Decimal)


def test_keys_are_texts_whatever_they_look_like() -> None:
    data = read_yaml("{50: a, 99.9: b, true: c, on: d, null: e, 2026-01-01: f}", "x.yaml").data
    assert list(data) == ["50", "99.9", "true", "on", "null", "2026-01-01"]


def test_dates_stay_texts() -> None:
    assert read_yaml("2026-06-01T00:00:00Z", "x.yaml").data == "2026-06-01T00:00:00Z"


def test_a_byte_order_mark_is_ignored() -> None:
    document = read_yaml(b"\xef\xbb\xbfa: 1", "x.yaml")
    assert document.data == {"a": 1}
    assert document.positions.locate(("a",)) == ("x.yaml", 1, 1)


def test_merged_keys_keep_their_own_place_and_give_way_to_written_ones() -> None:
    text = "base: &b {x: 1, y: 2}\nmore: &m {y: 9, z: 9}\nc: {y: 3, <<: [*b, *m]}\n"
    document = read_yaml(text, "x.yaml")
    assert document.data["c"] == {"y": 3, "x": 1, "z": 9}
    assert document.positions.locate(("c", "y")) == ("x.yaml", 3, 5)
    assert document.positions.locate(("c", "x")) == ("x.yaml", 1, 11)
    assert document.data == yaml.safe_load(text)


def test_a_wrong_byte_is_placed() -> None:
    assert problems(b"a: 1\nname: caf\xe9\n") == [
        "x.yaml:2:10: byte 0xe9 is not UTF-8 (save the file as UTF-8)"
    ]


def test_half_a_surrogate_pair_is_refused() -> None:
    assert "surrogate" in problems('a: "\\ud800"')[0]
    assert "not UTF-8" in problems("a: \ud800")[0]


def test_a_file_of_more_than_ten_megabytes_is_not_parsed() -> None:
    assert "larger than 10 MB" in problems(b"#" * (MAX_BYTES + 1))[0]


def test_a_path_is_printed_in_one_line() -> None:
    line = problems('"a\\nb": 1\n"a\\nb": 2\n')[0]
    assert line == "x.yaml:2:1: a\\nb: given twice; the first is in line 1 (keep one of them)"


@pytest.mark.parametrize(
    "text",
    ["!!set {a}", "!!omap [a: 1]", "!!binary aGk=", "!mine 3", "!!python/name:os.system x",
     "!!timestamp x", "? [a]\n: 1", "<<: 3", "%YAML 3.0\n---\na: 1", "\x00", "a: \x08", "@", "`"],
)  # fmt: skip
def test_what_is_more_than_plain_data_is_refused(text: str) -> None:
    try:
        data = read_yaml(text, "x.yaml").data
    except ScenarioError:
        return
    assert isinstance(data, str)


# YAML 1.1 breaks lines at characters YAML 1.2 does not (NEL, LS, PS): left out with the controls.
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=8)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN, st.sampled_from([True, False, None]), st.booleans())
def test_plain_data_reads_as_another_library_wrote_it(
    data: Any, flow: bool | None, unicode: bool
) -> None:
    text = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=unicode, sort_keys=False)
    # PyYAML speaks YAML 1.1; the directive makes the reader do so too.
    assert read_yaml(f"%YAML 1.1\n---\n{text}", "x.yaml").data == data
