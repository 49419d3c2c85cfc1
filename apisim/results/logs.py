"""What a replication wrote to logs and recorded as traces, in the form the bill is made from."""

from collections.abc import Collection, Iterator

from apisim.engine.run import Replication
from apisim.pricing import LogUsage, TraceUsage
from apisim.scenario.stages import stage_label

__all__ = ["log_usage", "trace_usage"]


def log_usage(
    replication: Replication,
    cells: Collection[int],
    phases: Collection[int],
    parts: Collection[int],
) -> Iterator[LogUsage]:
    """What was written to each log there is."""
    program, recorder = replication.program, replication.recorder
    for name, api in program.scenario.apis.items():
        stage = api.stage
        mine = [at for at in cells if program.names.cells[at].api == name]
        used = recorder.usage[mine][:, list(parts)]
        for kind, log, column in (
            ("access", stage.access_log, "log_bytes"),
            ("execution", stage.execution_log, "execution_bytes"),
        ):
            if log is not None:
                yield LogUsage(
                    name=stage_label(name, stage.name),
                    kind=kind,
                    bytes=int(used[column].sum()),
                    retention_days=stage.log_retention,
                )
    for at, name in enumerate(program.names.functions):
        # A further version of a function writes to the function's log.
        function = program.scenario.functions[name.partition(":")[0]]
        if function.logs:
            executed = recorder.executions[list(phases)][:, at, list(parts)]
            yield LogUsage(
                name=name.partition(":")[0],
                kind="function",
                bytes=int(executed["log_bytes"].sum()),
                retention_days=function.log_retention,
            )


def trace_usage(
    replication: Replication, cells: Collection[int], parts: Collection[int]
) -> Iterator[TraceUsage]:
    """Traces of each stage that has X-Ray."""
    program, usage = replication.program, replication.recorder.usage
    for name, api in program.scenario.apis.items():
        if api.stage.tracing is not None:
            mine = [at for at in cells if program.names.cells[at].api == name]
            traces = int(usage[mine][:, list(parts)]["traces"].sum())
            yield TraceUsage(name=stage_label(name, api.stage.name), traces=traces)
