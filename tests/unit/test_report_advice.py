"""Figures of advice and of limits: what is drawn is what they say, and what arithmetic says."""

import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

import apisim
from apisim.report import plot_advice, plot_launch_envelope, plot_limits
from apisim.report.style import fill_of, look
from apisim.scenario import loads
from apisim.studies.advice.advised import Advised
from apisim.studies.limits import Limits
from tests.support.figures import new_axes

#: Even arrivals, no time anywhere, 10 requests a second: every number can be worked out.
EVEN = """
apisim: 1
name: even
profile: ideal
apis:
  shop:
    type: rest
    routes:
      GET /: {integration: {type: mock}, throttle: {rate_limit: 20, burst_limit: 10}}
traffic:
  web: {arrivals: uniform, offset: 0, phases: [{duration: 20s, rate: 10}], mix: {GET /: 1}}
"""
RATE = "traffic.web.phases.0.rate"


@pytest.fixture(scope="module")
def advised() -> Advised:
    changed = {"half": "5", "twice": "20", "none": "10"}
    return apisim.advise(
        loads(EVEN),
        candidates={name: loads(EVEN, overrides=[f"{RATE}={to}"]) for name, to in changed.items()},
        replications=3,
        engine="simpy",
    )


@pytest.fixture(scope="module")
def sheet() -> Limits:
    return apisim.limits(
        loads(EVEN), multiple=3, up_to=3, precision=1, multiples=[1, 4], durations_s=[1, 10],
        engine="simpy",
    )  # fmt: skip


def _names(ax: Axes) -> list[str]:
    return [tick.get_text() for tick in ax.get_yticklabels()]


def _bars(ax: Axes) -> dict[int, list[Rectangle]]:
    found: dict[int, list[Rectangle]] = {}
    for bar in ax.patches:
        assert isinstance(bar, Rectangle)
        found.setdefault(round(bar.get_y() + bar.get_height() / 2), []).append(bar)
    return found


def test_advice_is_drawn_in_dollars_of_the_price_list(advised: Advised) -> None:
    """200 REST requests at $3.50 a million and 1 KB of transfer each at $0.09 a GB."""
    drawn = advised.plot(ax=new_axes())
    names = _names(drawn)
    assert names[0] == "half"
    assert set(names) == {"half", "twice", "none"}
    assert drawn.get_xlabel() == "change of cost_run value [USD], 95% interval"
    points = {
        names[len(names) - 1 - round(line.get_ydata()[0])]: line
        for line in drawn.lines
        if line.get_marker() in ("*", "o") and len(line.get_xdata())
    }
    found = {name: line.get_xdata()[0] for name, line in points.items()}
    each = 3.50 / 1e6 + 0.09 / 2**20
    assert found == pytest.approx({"half": -100 * each, "twice": 200 * each, "none": 0})
    frame = advised.frame().query("measure == 'cost_run value'").set_index("candidate")
    assert found == pytest.approx(frame["difference"].to_dict())
    assert {name: line.get_marker() for name, line in points.items()} == {
        "half": "*", "twice": "o", "none": "o"
    }  # fmt: skip
    is_hollow = {name: line.get_markerfacecolor() == look().paper for name, line in points.items()}
    assert is_hollow == {"half": False, "twice": False, "none": True}


def test_advice_says_what_decided_it(advised: Advised) -> None:
    drawn = plot_advice(advised, "failed rate", ax=new_axes())
    assert drawn.get_xlabel() == "change of failed rate [percentage points], 95% interval"
    words = dict(zip(_names(drawn), (text.get_text() for text in drawn.texts), strict=True))
    assert words["half"] == "worth it:\nUSD a run -$0.000359"
    assert words["twice"] == "worse:\nUSD a run +$0.000717"
    assert words["none"] == "no effect"
    with pytest.raises(ValueError, match="'p99' was not judged; there are failed rate, cost_run"):
        plot_advice(advised, "p99")


def test_intervals_of_advice_are_those_of_the_frame() -> None:
    found = apisim.advise(
        loads(EVEN.replace("arrivals: uniform, offset: 0, ", "")),
        candidates={"more": loads(EVEN.replace("uniform, offset: 0", "poisson"),
                                  overrides=[f"{RATE}=12"])},
        replications=4, engine="simpy",
    )  # fmt: skip
    drawn = found.plot("cost_run value", ax=new_axes())
    (line,) = drawn.collections
    ends = line.get_paths()[0].vertices[:, 0].tolist()
    row = found.frame().query("measure == 'cost_run value'").iloc[0]
    assert row["low"] < row["high"]
    assert ends == pytest.approx([row["low"], row["high"]])


def test_advice_on_nothing_says_so() -> None:
    empty = Advised(scenario=loads(EVEN), base=(), advice=())
    assert [text.get_text() for text in empty.plot(ax=new_axes()).texts] == ["nothing was tried"]


def test_a_limit_s_bar_is_its_part_that_is_used(sheet: Limits) -> None:
    """At three times its traffic 30 requests a second of 20, and of the account's 10,000."""
    drawn = sheet.plot(ax=new_axes())
    bars = {name: _bars(drawn)[at] for at, name in enumerate(reversed(_names(drawn)))}
    assert drawn.get_xlabel() == "used at the peak, 3 times the traffic [% of the limit]"
    (method,) = bars["throttle of shop GET /"]
    assert method.get_width() == pytest.approx(150)
    assert method.get_hatch()
    (account,) = bars["Throttle rate"]
    assert account.get_width() == pytest.approx(100 * sheet.row("account_rate").used / 10_000)
    assert not account.get_hatch()
    assert "30/s of 20/s" in [text.get_text() for text in drawn.texts]
    everything = plot_limits(sheet, ax=new_axes(), everything=True)
    known = [row for row in sheet.rows if row.headroom is not None]
    assert len(_names(everything)) == len(known) > len(bars)


def test_a_launch_is_served_until_the_moment_that_arithmetic_says(sheet: Limits) -> None:
    """40/s against 20/s and 10 tokens: call floor(9 / (1 - 1/2)) + 1 = 19 is refused, at 475 ms."""
    drawn = sheet.plot("envelope", ax=new_axes())
    assert _names(drawn) == ["1x, 10/s", "4x, 40/s"]
    four, one = _bars(drawn)[0], _bars(drawn)[1]
    begin, end = drawn.get_xlim()
    assert end == 10
    assert [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in one] == [(begin, end)]
    assert [bar.get_x() for bar in four] == pytest.approx([begin, 0.475])
    assert four[1].get_x() + four[1].get_width() == pytest.approx(10)
    colours = [to_hex(bar.get_facecolor()) for bar in four]
    assert colours == [fill_of("served").colour, fill_of("method").colour]
    assert [text.get_text() for text in drawn.texts] == ["throttle of shop GET /, 475 ms"]
    ticks = [tick.get_text() for tick in drawn.get_xticklabels()]
    assert ticks == ["100ms", "1s", "10s"]


def test_figures_of_no_limits_say_so(sheet: Limits) -> None:
    none = Limits(
        scenario=sheet.scenario, multiple=1, up_to=1, reserve=0, n_simulations=0, rows=(),
        envelope=(), notes=(),
    )  # fmt: skip
    assert plot_limits(none, ax=new_axes()).texts[0].get_text() == "no limit whose use is known"
    drawn = plot_launch_envelope(none, ax=new_axes())
    assert drawn.texts[0].get_text() == "no launch was looked at"
    with pytest.raises(ValueError, match="no figure 'walls'; there are limits, envelope"):
        sheet.plot("walls")
