"""Who calls, when and for what: arrival processes, closed users, replayed logs, keys and sizes.

Traffic is offered, never shaped by what the API answers, except where a caller waits for its answer
(closed users, retries). Nothing here knows a limit, a cache or a backend.
"""
