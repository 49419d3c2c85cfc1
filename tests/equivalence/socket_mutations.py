"""Mutations of what the engines do with the users of WebSocket APIs, and with pushes."""

from typing import Final

from tests.equivalence.mutation import Mutation

__all__ = ["COMPILED_SOCKETS", "GOLDEN_SOCKETS"]

GOLDEN_SOCKETS: Final = (
    Mutation(
        "what was due while nobody was connected is never sent",
        "sessions",
        "due_ns = max(min(self._next_ns, self._end_ns), model.now)",
        "due_ns = min(x for x in (self._next_ns, self._end_ns, NEVER) if x >= model.now)",
    ),
    Mutation(
        "failures before an upgrade that succeeds are counted with those behind it",
        "sessions",
        "                n_failed = wait_ns = 0\n",
        "                wait_ns = 0\n",
    ),
    Mutation(
        "a session begins anew with each connection",
        "sessions",
        "if not has_begun:",
        "if True:",
    ),
    Mutation(
        "a connection is closed before what comes at its last moment",
        "sockets",
        "yield model.env.moment(due, GIVE_UP, call.address)",
        "yield model.env.moment(due, 2, call.address)",
    ),
    Mutation(
        "a message does not keep its connection alive",
        "sockets",
        "    if is_open:\n        touch(model.sockets, call.socket, model.now)\n",
        "",
    ),
    Mutation(
        "a client hears of the end of its connection at once",
        "sockets",
        'model.now + int(row["back_ns"]), ARRIVAL',
        "model.now, ARRIVAL",
    ),
    Mutation(
        "a $disconnect that fails strikes the connection out all the same",
        "sockets",
        'if row["serial"] == call.serial and is_upgraded(',
        'if row["serial"] == call.serial or is_upgraded(',
    ),
    Mutation(
        "the bytes of a message take no time",
        "sockets",
        "        there_ns += int(transfer_ns(size, source.kbps))\n",
        "        pass\n",
    ),
    Mutation(
        "the time of a push ends at the gateway",
        "pushes",
        "model.now + on_the_way_ns,",
        "model.now,",
    ),
    Mutation(
        "a push does not keep its connection alive",
        "pushes",
        "        touch(model.sockets, call.socket, model.now)\n",
        "",
    ),
    Mutation(
        "whoever has gone stays on the list",
        "pushes",
        "            strike_out(model.sockets, at)\n",
        "            pass\n",
    ),
    Mutation(
        "a post is tried again without a token",
        "pushes",
        "        if cost == GIVE_UP:\n",
        "        if False:\n",
    ),
)

COMPILED_SOCKETS: Final = (
    Mutation(
        "what was due while nobody was connected is never sent",
        "sessions",
        "    if due_ns < NEVER:\n        _schedule(",
        '    if due_ns < NEVER and due_ns == min(mine["next_ns"], mine["end_ns"]):\n'
        "        _schedule(",
    ),
    Mutation(
        "failures before an upgrade that succeeds are counted with those behind it",
        "sessions",
        '    mine["tries"] = 0\n    mine["wait_ns"] = 0\n    if ',
        '    mine["wait_ns"] = 0\n    if ',
    ),
)
