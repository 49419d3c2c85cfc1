"""Access logs as gateways and servers write them, read as traces."""

from collections.abc import Callable
from pathlib import Path

import pytest

from apisim.scenario import ScenarioError, loads
from apisim.scenario.problems import TraceError
from apisim.traffic.trace import Trace, read_trace

#: One request in each preset of each type of API, typed from the developer guide's formats.
REQUEST = {
    "rest clf": '192.0.2.7 - - [02/Nov/2026:12:00:01 +0000]"GET /pets/{id} HTTP/1.1" 200 345 '
    "9b2e1c02-6b0e-4d5b-9d6e-0c7f3c1f0a55 Xq2bEHtJIAMFhWw=",
    "rest json": '{ "requestId":"9b2e1c02", "extendedRequestId":"Xq2=","ip": "192.0.2.7", '
    '"caller":"-", "user":"-", "requestTime":"02/Nov/2026:12:00:01 +0000", "httpMethod":"GET", '
    '"resourcePath":"/pets/{id}", "status":"200", "protocol":"HTTP/1.1", "responseLength":"345" }',
    "rest xml": '<request id="9b2e1c02"> <extendedRequestId>Xq2=</extendedRequestId> '
    "<ip>192.0.2.7</ip> <caller>-</caller> <user>-</user> "
    "<requestTime>02/Nov/2026:12:00:01 +0000</requestTime> <httpMethod>GET</httpMethod> "
    "<resourcePath>/pets/{id}</resourcePath> <status>200</status> <protocol>HTTP/1.1</protocol> "
    "<responseLength>345</responseLength> </request>",
    "rest csv": "192.0.2.7,-,-,02/Nov/2026:12:00:01 +0000,GET,/pets/{id},HTTP/1.1,200,345,"
    "9b2e1c02,Xq2=",
    "http clf": '192.0.2.7 - - [02/Nov/2026:12:00:01 +0000] "GET GET /pets/{id} HTTP/1.1" 200 345 '
    "Xq2bEHtJIAMFhWw=",
    "http json": '{ "requestId":"Xq2=", "ip": "192.0.2.7", '
    '"requestTime":"02/Nov/2026:12:00:01 +0000", "httpMethod":"GET","routeKey":"GET /pets/{id}", '
    '"status":"200","protocol":"HTTP/1.1", "responseLength":"345" }',
    "http xml": '<request id="Xq2="> <ip>192.0.2.7</ip> '
    "<requestTime>02/Nov/2026:12:00:01 +0000</requestTime> <httpMethod>GET</httpMethod> "
    "<routeKey>GET /pets/{id}</routeKey> <status>200</status> <protocol>HTTP/1.1</protocol> "
    "<responseLength>345</responseLength> <extendedRequestId>Xq2=</extendedRequestId> </request>",
    "http csv": "192.0.2.7,02/Nov/2026:12:00:01 +0000,GET,GET /pets/{id},HTTP/1.1,200,345,"
    "Xq2=,Xq3=",
}
OWN = '$context.requestTimeEpoch $context.identity.sourceIp "$context.httpMethod $context.path" \
$context.responseLength "$context.error.message"'

Read = Callable[..., Trace]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read lines as a log."""

    def _read(*lines: str, **options: object) -> Trace:
        file = tmp_path / "access.log"
        file.write_text("".join(f"{line}\n" for line in lines))
        return read_trace(file, **options)

    return _read


def refusal(read: Read, *lines: str, **options: object) -> list[str]:
    with pytest.raises(TraceError) as caught:
        read(*lines, **options)
    return [str(problem).rpartition("/access.log:")[2] for problem in caught.value.problems]


@pytest.mark.parametrize("preset", REQUEST)
def test_a_line_of_a_preset_is_a_request(read: Read, preset: str) -> None:
    line = REQUEST[preset]
    later = line.replace("12:00:01 +0000", "14:30:03 +0200")
    trace = read(line, later, log_format=preset.partition(" ")[2])
    # 14:30:03 two hours east of Greenwich is half an hour and two seconds later.
    assert trace.arrival_ns.tolist() == [0, (30 * 60 + 2) * 10**9]
    assert trace.targets == [("GET", "/pets/{id}")]
    assert trace.clients == ["192.0.2.7"]
    assert trace.response_bytes.tolist() == [345, 345]


def test_an_own_format_has_milliseconds_and_paths_below_the_stage(read: Read) -> None:
    trace = read(
        '1793620800250 192.0.2.7 "GET /prod/pets/7" 12 "-"',
        '1793620800251 192.0.2.8 "POST /prod" - "Too many "quoted" words"',
        '1793620800999 - "GET /production/pets" 0 "-"',
        log_format=OWN,
        stage="prod",
    )
    assert trace.arrival_ns.tolist() == [0, 1_000_000, 749_000_000]
    assert trace.targets == [("GET", "/pets/7"), ("POST", "/"), ("GET", "/production/pets")]
    assert trace.client_index.tolist() == [0, 1, -1]
    assert trace.response_bytes.tolist() == [12, -1, 0]


def test_json_is_read_by_key_in_any_order_and_depth(read: Read) -> None:
    log_format = '{"at": $context.requestTimeEpoch, "q": {"verb": "$context.httpMethod", \
"path": "$context.path"}, "id": "$context.requestId"}'
    trace = read(
        '{"q":{"path":"/a \\"b\\"","verb":"GET","more":[1]},"at":1793620800250}',
        '{"id":"x","at":"1793620800251","q":{"verb":"PUT","path":"/c"}}',
        log_format=log_format,
    )
    assert trace.arrival_ns.tolist() == [0, 1_000_000]
    assert trace.targets == [("GET", '/a "b"'), ("PUT", "/c")]


def test_a_route_alone_says_its_method_and_a_path_comes_before_it(read: Read) -> None:
    log_format = "$context.requestTimeEpoch,$context.routeKey,$context.path"
    trace = read("1793620800250,POST /pets/{id},/pets/7", log_format=log_format)
    assert trace.targets == [("POST", "/pets/7")]
    (problem,) = refusal(read, "1793620800250,$default,/x", log_format=log_format)
    assert problem == "1:1: method: is missing (such as GET)"


@pytest.mark.parametrize(
    ("line", "log_format", "said"),
    [
        ("hello", "clf", "1:1: the line is not of the form clf (is it what wrote this log?)"),
        ('1.2.3.4 - - [x] "-" 408 -', "clf", "1:1: the line is not of the form clf"),
        (
            REQUEST["rest clf"].replace("Nov", "Mov"),
            "clf",
            "1:16: requestTime: '02/Mov/2026:12:00:01 +0000' is no time (such as 10/Oct/2000",
        ),
        (REQUEST["rest clf"].replace("02/", "31/"), "clf", "1:16: requestTime: '31/Nov/2026"),
        (REQUEST["rest csv"].replace("/pets", "pets"), "csv", "1:46: path: 'pets/{id}' does not"),
        (REQUEST["http csv"].replace("GET /pets/{id}", "$default"), "csv", "1:42: path: $default"),
        ("[1]", "json", "1:1: the line is no JSON object"),
        ('{"requestTime": }', "json", "1:17: the line is no JSON object"),
        ("{}", "json", "1:1: requestTime: is missing"),
        ("1 2 3", OWN, "1:1: the line is not of the format"),
        ('soon 1.2.3.4 "GET /x" 1 "-"', OWN, "1:1: requestTimeEpoch: 'soon' is no time in ms"),
    ],
)
def test_a_bad_line_is_named(read: Read, line: str, log_format: str, said: str) -> None:
    (problem,) = refusal(read, line, log_format=log_format)
    assert problem.startswith(said)


def test_bad_lines_can_be_left_out(read: Read) -> None:
    trace = read("hello", REQUEST["rest clf"], log_format="clf", skip_bad_rows=True)
    assert (len(trace), trace.n_skipped) == (1, 1)


def test_lines_out_of_order_are_named_at_their_time(read: Read) -> None:
    lines = [f'17936208002{at} 1.2.3.4 "GET /x" 1 "-"' for at in ("51", "50")]
    (problem,) = refusal(read, *lines, log_format=OWN)
    assert "2:1: timestamp_s: steps back in time by 0.001 s (write sort: true" in problem
    assert read(*lines, log_format=OWN, sort=True).arrival_ns.tolist() == [0, 1_000_000]


def test_an_empty_log_says_so(read: Read) -> None:
    assert refusal(read, log_format="clf") == ["1:1: the trace has no request"]


@pytest.mark.parametrize(
    ("line", "log_format"),
    [
        ("word " * 6_000, "csv"),
        ("," * 16_000, "csv"),
        ("a " + "[" * 16_000, "clf"),
        ('a - - [x] "' + "GET / " * 2_500, "clf"),
        (
            "1 " * 8_000,
            "$context.requestTimeEpoch $context.error.message $context.httpMethod "
            "$context.waf.error $context.authorizer.a $context.path $context.resourcePath="
            "$context.status=",
        ),
        (
            "1" + " a,b" * 4_000,
            "$context.requestTimeEpoch $context.path,$context.resourcePath,$context.routeKey,"
            "$context.authorizer.sub,$context.status;",
        ),
    ],
)
def test_a_line_that_fits_nothing_is_refused_at_once(
    read: Read, line: str, log_format: str
) -> None:
    # A pattern that tried every way to share out the words would not come back.
    assert len(refusal(read, line, log_format=log_format)) == 1


def test_a_line_that_no_gateway_writes_is_too_long(read: Read) -> None:
    (problem,) = refusal(read, REQUEST["rest clf"] + "=" * 40_000, log_format="clf")
    assert problem.startswith("1:1: the line has 40,")
    assert "over the maximum of 16,384" in problem


def test_json_with_a_bare_dash_is_read_as_text(read: Read) -> None:
    log_format = '{"at":$context.requestTimeEpoch,"size":$context.responseLength,\
"il":$context.integrationLatency,"m":"$context.httpMethod","p":"$context.path"}'
    trace = read(
        '{"at":1793620800250,"size":12,"il":5,"m":"GET","p":"/a"}',
        '{"size":- , "at":1793620800252,"il":-,"m":"POST","p":"/b\\u002fc"}',  # a refusal
        '{"at":1793620800253,"size":-,"il":none,"m":"GET","p":"/a"}',
        log_format=log_format,
    )
    assert trace.arrival_ns.tolist() == [0, 2_000_000, 3_000_000]
    assert trace.targets == [("GET", "/a"), ("POST", "/b/c")]
    assert trace.response_bytes.tolist() == [12, -1, -1]


def test_json_that_keys_do_not_find_is_read_as_text(read: Read) -> None:
    log_format = '{"at": [$context.requestTimeEpoch], "what": "$context.httpMethod $context.path"}'
    trace = read('{"at": [1793620800250], "what": "GET /a"}', log_format=log_format)
    assert trace.targets == [("GET", "/a")]


def test_numbers_of_json_may_have_become_floats(read: Read) -> None:
    log_format = '{"at": $context.requestTimeEpoch, "m": "$context.httpMethod", \
"p": "$context.path", "n": $context.responseLength}'
    lines = [f'{{"at": 1.79362080025{at}e12, "m": "GET", "p": "/", "n": 7.0}}' for at in (0, 3)]
    trace = read(*lines, log_format=log_format)
    assert trace.arrival_ns.tolist() == [0, 3_000_000]
    assert trace.response_bytes.tolist() == [7, 7]


@pytest.mark.parametrize("value", [r"/\ud800", r"/a\nb", r"/\u0000"])
def test_what_is_no_text_is_named(read: Read, value: str) -> None:
    line = REQUEST["rest json"].replace("/pets/{id}", value)
    (problem,) = refusal(read, line, log_format="json")
    assert problem.startswith("1:1: resourcePath: '/")
    assert problem.endswith("is no text")


def test_text_with_spaces_ends_where_its_format_goes_on(read: Read) -> None:
    log_format = "$context.requestTimeEpoch $context.authorizer.claims.name \
[$context.identity.clientCert.subjectDN] $context.httpMethod $context.path"
    line = "1793620800250 Ada King [CN=a b,O=c] GET /x"
    assert read(line, log_format=log_format).targets == [("GET", "/x")]


def test_a_text_without_quotes_before_the_path_may_have_spaces(read: Read) -> None:
    log_format = "$context.identity.userAgent $context.requestTimeEpoch $context.httpMethod \
$context.path $context.status"
    line = "Mozilla/5.0 (X11; Linux) 1793620800250 GET /x 200"
    assert read(line, log_format=log_format).targets == [("GET", "/x")]


def test_a_user_of_a_web_server_may_have_brackets(read: Read) -> None:
    line = '192.0.2.7 - user[1] [02/Nov/2026:12:00:01 +0000] "GET /x HTTP/1.1" 200 5'
    assert read(line, log_format="clf").targets == [("GET", "/x")]


@pytest.mark.parametrize("variables", ["$context.routeKey", "$context.httpMethod $context.path"])
def test_any_is_the_method_of_no_request(read: Read, variables: str) -> None:
    log_format = f"$context.requestTimeEpoch {variables}"
    (problem,) = refusal(read, "1793620800250 ANY /x", log_format=log_format)
    assert problem.startswith("1:15: method: ANY is a route's method, no request's (log $context.")


@pytest.mark.parametrize(
    ("log_format", "said"),
    [
        ("common", "is no known form"),
        ("clff", "did you mean clf?"),
        ("5", "must be the form of a log, got 5"),
        ("$context.path $context.httpMethod", "the format does not say when"),
        ("$context.requestTime $context.httpMethod", "the format does not say what was called"),
        ("$context.requestTime $context.path", "the format does not say the method"),
        ("$context.requestTime $context.routeKey $context.routeKey", "$context.routeKey twice"),
        ("$context.requestTime$context.routeKey", "nothing stands in front of $context.routeKey"),
    ],
)
def test_a_format_that_cannot_be_read_is_refused(log_format: str, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        loads(_scenario(f"format: {log_format}"), file=str(Path(__file__)))
    assert said in str(caught.value)


def _scenario(trace: str) -> str:
    return f"""
apisim: 1
apis: {{pets: {{type: rest, routes: {{'GET /pets/{{id}}': {{integration: mock}}}}}}}}
traffic: {{replayed: {{trace: {{file: {Path(__file__).name}, {trace}}}}}}}
"""
