"""WebSocket APIs in a scenario: routes, sessions, pushes, and what becomes of the APIs."""

from fractions import Fraction

import pytest

from apisim.draws.distributions import Constant, Exponential
from apisim.engine.lowering.apis import LoweredApis, lower_apis
from apisim.engine.lowering.backends import lower_backends
from apisim.engine.lowering.buckets import LEVELS
from apisim.engine.lowering.context import Charging, Context
from apisim.gateway.limits import UNLIMITED
from apisim.gateway.message_routing import MessageRouter
from apisim.gateway.replies import answer_headers
from apisim.gateway.status import (
    ANSWERS,
    API_TYPES,
    LEVEL_ANSWERS,
    Answer,
    body_table,
    level_answer,
    status_table,
)
from apisim.gateway.throttle import MAX_LEVELS, NO_BUCKET
from apisim.pricing import charge_table, load_book
from apisim.scenario import Scenario, ScenarioError, loads
from apisim.scenario.sessions import Reconnect, Sessions
from apisim.scenario.timeline import TimelineEntry
from apisim.scenario.traffic import Source

SECOND = 1_000_000_000
MINUTE = 60 * SECOND

CHAT = """\
apisim: 1
apis:
  chat:
    type: websocket
    routes:
      $connect: {authorizer: who}
      $disconnect: {integration: {type: lambda_proxy, function: f}}
      sendMessage: {integration: {type: lambda_proxy, function: f}, route_response: true}
      $default: {integration: {type: mock}}
authorizers: {who: {type: request, function: f}}
functions: {f: {duration: 10ms}}
traffic:
  users:
    mix: {chat sendMessage: 9, chat typing: 1}
    sessions: {population: 600, until: 8h, messages: 2/min}
"""


def scenario(*overrides: str, text: str = CHAT) -> Scenario:
    return loads(text, overrides=overrides)


def users(*overrides: str) -> Source:
    return scenario(*overrides).traffic["users"]


def sessions(*overrides: str) -> Sessions:
    found = users(*overrides).sessions
    assert found is not None
    return found


def complaint(*overrides: str, text: str = CHAT) -> str:
    with pytest.raises(ScenarioError) as caught:
        scenario(*overrides, text=text)
    return "\n".join(f"{one.path}: {one.message}" for one in caught.value.problems)


def lowered(*overrides: str, text: str = CHAT) -> LoweredApis:
    found = scenario(*overrides, text=text)
    charging = Charging(
        charge_table(load_book("aws-us-east-1")), {"rest": 0, "http": 1, "websocket": 32_768}
    )
    context = Context(found, charging)
    apis = lower_apis(context, lower_backends(context))
    assert not context.problems
    return apis


class TestRoutes:
    def test_those_that_are_there_unasked_come_last(self) -> None:
        text = CHAT.replace("      $connect: {authorizer: who}\n", "")
        routes = scenario(text=text).apis["chat"].every_route
        assert list(routes) == [
            "$disconnect",
            "sendMessage",
            "$default",
            "$connect",
            "POST @connections",
        ]
        assert routes["$connect"].integration.type == "mock"

    def test_connect_and_disconnect_need_no_integration_and_have_no_bodies(self) -> None:
        routes = scenario().apis["chat"].routes
        assert routes["$connect"].integration.type == "mock"
        for key in ("$connect", "$disconnect"):
            assert routes[key].request_size == routes[key].response_size == Constant(0)
        assert routes["sendMessage"].request_size == Constant(1024)

    def test_messages_wait_29_s_and_say_nothing_back(self) -> None:
        api = scenario().apis["chat"]
        assert api.routes["sendMessage"].integration.timeout == 29 * SECOND
        assert api.routes["sendMessage"].route_response
        assert not api.routes["$default"].route_response
        assert (api.stage.name, api.route_selection_expression) == ("prod", "$request.body.action")

    def test_route_keys_have_up_to_128_characters(self) -> None:
        longest = "a" * 128
        assert longest in scenario(text=CHAT.replace("sendMessage", longest)).apis["chat"].routes
        assert "routes." in complaint(text=CHAT.replace("sendMessage:", f"{longest}a:"))

    def test_a_route_key_may_be_set_although_it_has_dots(self) -> None:
        text = CHAT.replace("sendMessage", "chat.send/now")
        setting = "apis.chat.routes.chat.send/now.integration.timeout=1s"
        routes = scenario(setting, text=text).apis["chat"].routes
        assert routes["chat.send/now"].integration.timeout == SECOND

    @pytest.mark.parametrize(
        ("value", "route"),
        [
            ("sendMessage", "sendMessage"),
            ("sendmessage", "$default"),
            ("", "$default"),
            (None, "$default"),
            ("$connect", "$default"),
            ("$default", "$default"),
            ("POST @connections", "$default"),
        ],
    )
    def test_a_message_finds_its_route(self, value: str | None, route: str) -> None:
        keys = list(scenario().apis["chat"].every_route)
        found = MessageRouter(keys).match(value)
        assert found is not None
        assert keys[found] == route

    def test_without_a_default_nobody_takes_what_has_no_route(self) -> None:
        router = MessageRouter(["$connect", "sendMessage", "POST @connections"])
        assert [router.match(value) for value in ("sendMessage", "typing", None)] == [1, None, None]


class TestMix:
    def test_a_line_names_an_api_and_what_a_message_says(self) -> None:
        entry = users().mix[0]
        assert (entry.api, entry.stage, entry.method, entry.path) == (
            "chat",
            None,
            "sendMessage",
            "",
        )

    def test_the_api_may_be_left_out_or_have_its_stage(self) -> None:
        for line in ("sendMessage", "chat/prod sendMessage", "$default"):
            text = CHAT.replace("chat sendMessage: 9", f"{line}: 9")
            entry = scenario(text=text).traffic["users"].mix[0]
            assert (entry.api, entry.method) == ("chat", line.split()[-1])

    def test_one_of_several_stages_is_meant(self) -> None:
        text = CHAT.replace("type: websocket", "type: websocket\n    stages: {a: {}, b: {}}")
        text = text.replace("chat sendMessage", "chat/a sendMessage").replace("chat t", "chat/a t")
        found = scenario(text=text)
        assert list(found.apis) == ["chat/a", "chat/b"]
        assert {entry.api for entry in found.traffic["users"].mix} == {"chat/a"}

    def test_rest_apis_read_their_lines_as_before(self) -> None:
        text = CHAT.replace("traffic:\n", "traffic:\n  web: {phases: [{duration: 1s, rate: 1}], "
                            "mix: {shop GET /a: 1, shop $default: 1}}\n")  # fmt: skip
        text = text.replace("apis:\n", "apis:\n  shop: {type: http, routes: {GET /a: {integration: "
                            "{type: lambda_proxy, function: f}}, $default: {integration: {type: "
                            "lambda_proxy, function: f}}}}\n")  # fmt: skip
        mix = scenario(text=text).traffic["web"].mix
        assert [str(entry.route) for entry in mix] == ["GET /a", "$default"]


class TestSessions:
    def test_a_population_connects_evenly_and_stays(self) -> None:
        source = users()
        connecting, connected = source.phases
        assert (connecting.name, connecting.per, connecting.counts) == (
            "connecting",
            MINUTE,
            (600,),
        )
        assert (connected.name, connected.length_ns) == ("connected", 8 * 60 * MINUTE - MINUTE)
        assert source.arrivals.process == "uniform"
        assert source.length_ns == 8 * 60 * MINUTE

    def test_without_an_end_there_is_one_phase(self) -> None:
        source = users("traffic.users.sessions={population: 5, length: 1h, connect_over: 10s}")
        assert [phase.length_ns for phase in source.phases] == [10 * SECOND]

    def test_sessions_may_arise_at_a_rate(self) -> None:
        text = CHAT.replace(
            "    sessions: {population: 600, until: 8h, messages: 2/min}",
            "    phases: [{duration: 1m, rate: 10}]\n    sessions: {length: {exponential: 10m}}",
        )
        source = scenario(text=text).traffic["users"]
        assert source.sessions is not None
        assert source.sessions.length == Exponential(600.0 * SECOND)
        assert source.sessions.is_silent
        assert source.arrivals.process == "poisson"

    def test_defaults_are_those_of_the_documentation(self) -> None:
        found = sessions()
        assert found.messages == Fraction(1, 30)
        assert (found.max_frame, found.binary, found.pings) == (32_768, 0.0, None)
        assert found.reconnect == Reconnect(backoff="full_jitter")
        assert found.reconnect is not None
        assert (found.reconnect.base, found.reconnect.cap) == (SECOND, 30 * SECOND)
        assert found.reconnect.max == 10
        assert not found.is_silent

    @pytest.mark.parametrize(
        ("written", "backoff", "base", "cap", "most"),
        [
            ("at_once", "none", SECOND, 30 * SECOND, 10),
            ("{jitter: 20s, max: 3}", "jitter", 20 * SECOND, 20 * SECOND, 3),
            ("{backoff: fixed, base: 2s}", "fixed", 2 * SECOND, 30 * SECOND, 10),
        ],
    )
    def test_a_client_reconnects_as_it_is_told(
        self, written: str, backoff: str, base: int, cap: int, most: int
    ) -> None:
        found = sessions(f"traffic.users.sessions.reconnect={written}").reconnect
        assert found is not None
        assert (found.backoff, found.base, found.cap, found.max) == (backoff, base, cap, most)

    def test_or_never(self) -> None:
        assert sessions("traffic.users.sessions.reconnect=never").reconnect is None

    @pytest.mark.parametrize(
        ("topics", "count"),
        [("{zipf: 1.1, of: 7}", 7), ("{uniform: 9}", 9), ("{a: 1, b: 2}", 2)],
    )
    def test_topics_are_counted(self, topics: str, count: int) -> None:
        assert sessions(f"traffic.users.sessions.topics={topics}").n_topics == count
        assert sessions().n_topics == 0

    def test_messages_alone_are_spread_over_one_length(self) -> None:
        even = "traffic.users.sessions={population: 1, messages_per_session: 10, length: 1m}"
        assert sessions(even).messages_per_session == 10
        odd = even.replace("1m", "{exponential: 1m}")
        assert "need a session of one length" in complaint(odd)
        assert sessions(odd.replace("{pop", "{messages: 1, pop")).messages_per_session == 10

    def test_one_api_is_theirs(self) -> None:
        text = CHAT.replace("apis:\n", "apis:\n  talk: {type: websocket, routes: {$default: "
                            "{integration: {type: mock}}}}\n")  # fmt: skip
        said = complaint(text=text.replace("chat typing", "talk typing"))
        assert "traffic.users.mix.talk typing: these sessions are of chat already" in said


PUSHES = (
    CHAT
    + """\
    pushes:
      news: {rate: 1/s, to: {share: 1%}, size: 400B, by: fanout}
      echo: {on: sendMessage, to: sender, by: fanout}
senders: {fanout: {}}
"""
)


class TestPushes:
    def test_a_share_is_a_word_and_its_number(self) -> None:
        news, echo = scenario(text=PUSHES).traffic["users"].pushes.values()
        assert (news.to, news.share, news.rate, news.size) == ("share", 0.01, 1, Constant(400))
        assert news.arrivals.process == "poisson"
        assert (echo.to, echo.share, echo.rate, echo.on) == ("sender", 1.0, None, "sendMessage")

    def test_a_sender_has_fifty_calls_of_5_ms_under_way(self) -> None:
        sender = scenario(text=PUSHES).senders["fanout"]
        assert (sender.parallelism, sender.call_time) == (50, Constant(5e6))
        assert (sender.coalesce, sender.retries) == (False, None)

    def test_what_they_take_of_the_account_is_said(self) -> None:
        text = PUSHES.replace("population: 600", "population: 100000, connect_over: 10m")
        to_all, ideal = "traffic.users.pushes.news.to=all", "profile=ideal"
        notes = "\n".join(scenario(to_all, ideal, text=text).notes)
        assert "news: 1/s, to 100,000 connections each, are 100,000 calls" in notes
        assert "10.00 times what the account may do (10,000/s)" in notes
        assert "the sender fanout makes 10,000 calls a second at most" in notes
        slower = "settings.gateway_overhead={websocket: 15ms}"
        notes = "\n".join(scenario(to_all, ideal, slower, text=text).notes)
        assert "the sender fanout makes 2,500 calls a second at most" in notes
        quiet = "\n".join(scenario("traffic.users.pushes.news.to=one", text=text).notes)
        assert "pushes.news" not in quiet

    def test_what_answers_of_messages_take_is_said(self) -> None:
        """A room of ten is told of each of 3,600 messages an hour by a thousand users: 9.99 + 1."""
        text = CHAT + "senders: {fan: {}}\n"
        notes = scenario(
            "traffic.users.sessions={population: 1000, length: 1h, messages_per_session: 3600}",
            "traffic.users.sessions.topics={uniform: 100}",
            "traffic.users.mix={chat sendMessage: 1}",
            "traffic.users.pushes={told: {on: sendMessage, to: topic, by: fan}}",
            text=text,
        ).notes
        said = "told: 1,000/s, to 11 connections each, are 10,990 calls"
        assert any(said in note for note in notes)


class TestAccount:
    def test_accepts_500_connections_a_second(self) -> None:
        found = scenario().account.new_connections
        assert (found.rate_limit, found.burst_limit) == (500, 500)

    @pytest.mark.parametrize(("rate", "burst"), [("100/min", 2), ("250.5", 251), ("0", 0)])
    def test_a_burst_is_a_second_rounded_up(self, rate: str, burst: int) -> None:
        found = scenario(f"account.new_connections.rate_limit={rate}").account.new_connections
        assert found.burst_limit == burst

    def test_more_users_at_once_than_it_accepts_are_said(self) -> None:
        notes = scenario("traffic.users.sessions.population=60000").notes
        assert any("1,000 users a second connect" in note for note in notes)
        assert not any("a second connect" in note for note in scenario().notes)

    def test_nobody_meets_it_without_a_websocket_api(self) -> None:
        text = "apisim: 1\napis: {a: {type: rest, routes: {GET /: {integration: {type: mock}}}}}\n"
        text += "traffic: {w: {phases: [{duration: 1s, rate: 1}], mix: {GET /: 1}}}\n"
        text += "account: {new_connections: {rate_limit: 5}}\n"
        assert "account.new_connections: there is no WebSocket API" in scenario(text=text).notes


def test_connections_are_cut_for_a_while() -> None:
    entry = "timeline=[{at: 10m, disconnect: chat/prod, share: 50%, for: 30s}]"
    cut = scenario(entry).timeline[0]
    assert (cut.disconnect, cut.share, cut.lasts) == ("chat/prod", 0.5, 30 * SECOND)
    whole = scenario("timeline=[{at: 10m, disconnect: chat}]").timeline[0]
    assert (whole.disconnect, whole.share, whole.lasts) == ("chat", 1.0, None)
    assert isinstance(whole, TimelineEntry)


def test_what_was_resolved_loads_again() -> None:
    text = PUSHES + "timeline: [{at: 1m, disconnect: chat, for: 1s}]\n"
    first = scenario("account.new_connections.rate_limit=700", text=text)
    again = loads(first.to_yaml())
    assert again == first
    assert again.settings.gateway_overhead.websocket == first.settings.gateway_overhead.websocket


def test_a_notebook_shows_who_connects() -> None:
    until = "600 users connect in 1m, until 8h"
    assert until in scenario()._repr_html_()
    text = CHAT.replace("population: 600, until: 8h", "length: 1m").replace(
        "    sessions:", "    phases: [{name: calm, duration: 5s, rate: 4}]\n    sessions:"
    )
    assert "new sessions: calm 5s 4/s" in scenario(text=text)._repr_html_()


def test_an_unknown_type_is_the_only_thing_said_of_it() -> None:
    assert complaint(text=CHAT.replace("type: websocket", "type: websockets")) == (
        'apis.chat.type: must be one of rest, http, websocket, got "websockets"'
    )


def test_the_ideal_gateway_takes_no_time_for_messages() -> None:
    overhead = loads(CHAT, profile="ideal").settings.gateway_overhead
    assert overhead.rest == overhead.http == overhead.websocket == Constant(0)


def test_settings_say_what_aws_does() -> None:
    settings = scenario().settings
    assert settings.websocket_idle_timeout == 10 * MINUTE
    assert settings.websocket_max_age == 120 * MINUTE
    assert (settings.connection_minutes, settings.pings_keep_alive) == ("up", True)
    assert settings.disconnect_delivery == 0.999


class TestAuthorizers:
    def test_results_are_not_kept(self) -> None:
        found = scenario("authorizers.who.ttl=5m")
        assert found.authorizers["who"].ttl_on("websocket") == 0
        assert any("keep no results of authorizers" in note for note in found.notes)
        assert not lowered("authorizers.who.ttl=5m").lines

    def test_credentials_are_seen_when_somebody_connects(self) -> None:
        settings = ("traffic.users.credentials={missing: 1%}",)
        assert any("credentials are given" in note for note in scenario(*settings).notes)
        iam = (*settings, "authorizers.who={type: iam}")
        assert not any("credentials are given" in note for note in scenario(*iam).notes)

    def test_a_key_is_asked_for_when_somebody_connects(self) -> None:
        plan = "usage_plans: {gold: {api_stages: {chat/prod: {}}, api_keys: [k]}}\n"
        text = CHAT.replace("{authorizer: who}", "{api_key_required: true}") + plan
        assert any("it has no API key" in note for note in scenario(text=text).notes)
        assert scenario("traffic.users.api_key=k", text=text).notes == []


class TestLowering:
    def test_the_api_is_of_the_third_type(self) -> None:
        apis = lowered("settings.gateway_overhead={websocket: 3ms}")
        row = apis.apis[0]
        assert API_TYPES[row["type"]] == "websocket"
        assert apis.meters.tables()[0][0]["increment_bytes"] == 32_768
        assert row["max_url"] == 4_096
        assert row["max_body"] == row["max_headers"] == row["max_head"] == UNLIMITED

    def test_routes_reply_where_they_say_so(self) -> None:
        apis = lowered()
        keys = [key for _, key in apis.route_names]
        assert dict(zip(keys, apis.routes["replies"], strict=True)) == {
            "$connect": 0,
            "$disconnect": 0,
            "sendMessage": 1,
            "$default": 0,
            "POST @connections": 0,
        }

    def test_each_route_has_its_limits_in_their_order(self) -> None:
        apis = lowered(
            "apis.chat.routes.$connect.throttle={rate_limit: 9, burst_limit: 9}",
            "apis.chat.stage.throttle={rate_limit: 7, burst_limit: 7, scope: shared}",
            "settings.method_limit=within_stage",
        )
        names = [level for level, _ in apis.bucket_names]
        looked_at = {
            key: [names[at] for at in apis.levels[index] if at != NO_BUCKET]
            for index, (_, key) in enumerate(apis.route_names)
        }
        assert looked_at == {
            "$connect": ["connections", "method", "stage", "account"],
            "$disconnect": [],
            "sendMessage": ["stage", "account"],
            "$default": ["stage", "account"],
            "POST @connections": ["account"],
        }
        kinds = [LEVELS[row["kind"]] for row in apis.buckets]
        assert kinds == names

    def test_without_a_websocket_api_there_is_no_bucket_of_connections(self) -> None:
        text = "apisim: 1\napis: {a: {type: rest, routes: {GET /: {integration: {type: mock}}}}}\n"
        text += "traffic: {w: {phases: [{duration: 1s, rate: 1}], mix: {GET /: 1}}}\n"
        assert [level for level, _ in lowered(text=text).bucket_names] == ["account"]

    def test_only_what_a_book_charges_is_charged(self) -> None:
        charged = lowered().meters.tables()[1][0]
        free = (
            Answer.CONNECTED,
            Answer.THROTTLED_CONNECTIONS,
            Answer.CONNECTION_GONE,
            Answer.UNAVAILABLE,
            Answer.THROTTLED_ACCOUNT,
            Answer.DENIED,
        )
        assert [bool(charged[answer]) for answer in free] == [False] * len(free)
        assert charged[Answer.SENT] == charged[Answer.SERVED] == 1


class TestAnswers:
    def test_each_level_has_its_answer(self) -> None:
        assert len(LEVELS) == len(LEVEL_ANSWERS) == MAX_LEVELS
        for kind, answer in enumerate(LEVEL_ANSWERS):
            assert level_answer(kind) == answer
            assert ANSWERS[answer].refused_by == LEVELS[kind]

    @pytest.mark.parametrize(
        ("answer", "status"),
        [
            (Answer.SERVED, 200),
            (Answer.CONNECTED, 101),
            (Answer.SENT, 200),
            (Answer.NO_ROUTE, 403),
            (Answer.THROTTLED_METHOD, 429),
            (Answer.THROTTLED_CONNECTIONS, 429),
            (Answer.INVALID_BODY, 400),
            (Answer.TIMEOUT, 500),
            (Answer.FUNCTION_ERROR, 500),
            (Answer.FUNCTION_THROTTLED, 500),
            (Answer.CONNECTION_GONE, 410),
            (Answer.FRAME_TOO_LARGE, 1009),
            (Answer.BINARY_FRAME, 1003),
            (Answer.UNAVAILABLE, 503),
            (Answer.NO_IDENTITY, 401),
            (Answer.DENIED, 403),
        ],
    )
    def test_an_answer_has_its_status(self, answer: Answer, status: int) -> None:
        assert status_table()[API_TYPES.index("websocket"), answer] == status

    def test_an_error_frame_names_connection_and_request(self) -> None:
        body = ANSWERS[Answer.NO_ROUTE].websocket_body
        assert body.startswith('{"message": "Forbidden", "connectionId":"')
        assert '"requestId":"' in body
        assert body_table()[API_TYPES.index("websocket"), Answer.NO_ROUTE] == len(body)

    def test_an_upgrade_that_is_refused_is_answered_as_on_rest_apis(self) -> None:
        facts = ANSWERS[Answer.NO_KEY]
        assert (facts.websocket, facts.websocket_body) == (facts.rest, facts.rest_body)

    def test_frames_have_no_headers(self) -> None:
        assert answer_headers(Answer.NO_ROUTE, "websocket") == ()
        assert answer_headers(Answer.CONNECTED, "websocket") == ("x-amzn-RequestId",)

    def test_the_books_charge_pushes_as_messages(self) -> None:
        table = dict(charge_table(load_book("seed-chapter")))
        outcomes = ("sent", "served", "connected", "gone")
        assert [table[outcome] for outcome in outcomes] == [True, True, False, False]


def test_pushes_at_a_rate_need_to_know_for_how_long() -> None:
    pushes = "traffic.users.pushes={news: {rate: 1/s, to: all, by: fan}}"
    text = CHAT + "senders: {fan: {}}\n"
    endless = "traffic.users.sessions={population: 600, length: 1h}"
    assert scenario(pushes, text=text).traffic["users"].pushes["news"].rate == 1
    said = complaint(pushes, endless, text=text)
    assert said == (
        "traffic.users.pushes.news.rate: nothing says for how long, as nobody sends the population "
        "home"
    )
    on = "traffic.users.pushes={news: {on: sendMessage, to: all, by: fan}}"
    assert scenario(on, endless, text=text).traffic["users"].pushes["news"].on == "sendMessage"
