"""Browsers ask once for each URL and time to live: preflights a second, exactly."""

import pytest

from apisim.gateway.status import Answer
from tests.support.caches import expected_misses
from tests.support.experiments import MOCK, Data, answered, means, prepare, scenario
from tests.support.verdicts import assert_matches, assert_sees

pytestmark = pytest.mark.oracle

R = 20
PAGE = "https://app.example.com"


def pages(rate_rps: float, people: int, urls: int, length_s: int, max_age_s: int) -> Data:
    """People whose pages call one route, each of its URLs alike, with a PUT."""
    cors = {"allow_origins": [PAGE], "allow_methods": ["PUT"], "allow_headers": ["content-type"]}
    return scenario(
        apis={
            "api": {
                "type": "rest",
                "cors": {**cors, "max_age": f"{max_age_s}s"},
                "routes": {"PUT /things/{id}": MOCK},
            }
        },
        populations={"people": {"count": people}},
        traffic={
            "pages": {
                "of": "people",
                "browser": {"origin": PAGE},
                "phases": [{"duration": f"{length_s}s", "rate": f"{rate_rps:g}/s"}],
                "mix": {"PUT /things/{id}": 1},
                "values": {"path.id": {"uniform": urls}},
            }
        },
    )


@pytest.mark.parametrize(("people", "urls", "max_age_s"), [(20, 5, 60), (50, 1, 20)])
def test_preflights_are_the_misses_of_a_cache_by_browser_and_url(
    people: int, urls: int, max_age_s: int
) -> None:
    """Oracle 6.3 by browser and URL: lambda / (1 + lambda T) a second; 5 % more or less is seen."""
    n, length_s, rate_rps = people * urls, 6_000, 5.0
    one_rps = rate_rps / n
    truth = n * expected_misses(one_rps, max_age_s, length_s)
    long_run = n * one_rps / (1 + one_rps * max_age_s) * length_s
    assert truth == pytest.approx(long_run, rel=0.12)  # the browsers begin without answers
    program = prepare(pages(rate_rps, people, urls, length_s, max_age_s))
    asked = means(program, R, lambda done: answered(done, Answer.PREFLIGHT))
    assert_matches(asked, truth)
    for wrong_s in (1.05 * max_age_s, 0.95 * max_age_s):
        assert_sees(asked, n * expected_misses(one_rps, wrong_s, length_s))
