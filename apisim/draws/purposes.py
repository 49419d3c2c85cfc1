"""What draws are for. Each purpose has streams of its own, so that no two share a draw.

The number is part of every stream's key and so of every result: append, never renumber.
"""

from enum import IntEnum

__all__ = ["Purpose"]


class Purpose(IntEnum):
    """Purpose of a stream of draws; the number goes into the stream's key."""

    ARRIVAL = 0
    SOJOURN = 1
    OFFSET = 2
    ROUTE = 3
    KEY = 4
    THINK = 5
    REQUEST_SIZE = 6
    RESPONSE_SIZE = 7
    RTT = 8
    EDGE = 9
    OVERHEAD = 10
    HIT_TIME = 11
    REFUSAL_TIME = 12
    TRANSPORT = 13
    SERVICE = 14
    INIT = 15
    ERROR = 16
    AUTH_TRANSPORT = 17
    AUTH_SERVICE = 18
    AUTH_INIT = 19
    AUTH_ERROR = 20
    DENY = 21
    CUSTOMER = 22
    PERSON = 23
    ADDRESS = 24
    TOKEN = 25
    LIMIT_PART = 26
    REFRESH = 27
    SCOPE = 28
    CREDENTIAL = 29
    CLOCK_SKEW = 30
    CALLER_POLICY = 31
    INVALID_TOKEN = 32
    UNAUTHORIZED = 33
    KEY_SET = 34
    CREDENTIAL_CHECK = 35
    SIGN_IN = 36
    PLAN = 37
    UPDATE = 38
    INVALIDATE = 39
    WAF_LATENCY = 40
    WAF_BLOCK = 41
    MUTUAL_TLS = 42
    CERTIFICATE = 43
    VALIDATION = 44
    URL_SIZE = 45
    HEADER_SIZE = 46
    BACKOFF = 47
    SETUP = 48
    AUTH_SETUP = 49
    MALFORMED = 50
    AUTH_MALFORMED = 51
    VERSION = 52
    AUTH_VERSION = 53
    CANARY = 54
    ACCEPT_ENCODING = 55
    TLS = 56
    REUSE = 57
    ORIGIN = 58
    CALLED_SERVICE = 59
    CALLED_ERROR = 60
    AUTH_CALLED_SERVICE = 61
    AUTH_CALLED_ERROR = 62
    ITEM_SIZE = 63
    SHARD = 64
    CALLED_ITEM_SIZE = 65
    CALLED_SHARD = 66
    AUTH_CALLED_ITEM_SIZE = 67
    AUTH_CALLED_SHARD = 68
    ZONE = 69
    TARGET = 70
    LINK = 71
    CROSS_ZONE = 72
    REQUEST_MAPPING = 73
    RESPONSE_MAPPING = 74
    EVENT_SERVICE = 75
    EVENT_INIT = 76
    EVENT_SETUP = 77
    EVENT_ERROR = 78
    EVENT_VERSION = 79
    EVENT_CALLED_SERVICE = 80
    EVENT_CALLED_ERROR = 81
    EVENT_CALLED_ITEM_SIZE = 82
    EVENT_CALLED_SHARD = 83
    SESSION_LENGTH = 84
    AWAY = 85
    MESSAGE_GAP = 86
    FIRST_MESSAGE = 87
    RECONNECT = 88
    TOPIC = 89
    BINARY = 90
    PUSH_SHARE = 91
    PUSH_ONE = 92
    CALL_TIME = 93
    DISCONNECT_LOST = 94
    DROP = 95
    TRACE = 96
