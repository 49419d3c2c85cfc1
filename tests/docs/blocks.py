"""Commands and code in the documents: found, run, and compared with what stands below them.

``python -m tests.docs.blocks [DOCUMENT...]`` writes what the commands print now into them.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "docs/cloudwatch.md",
    "docs/exports.md",
    "docs/frames.md",
    "docs/limits.md",
    "docs/over-time.md",
    "docs/pricing.md",
    "docs/replications.md",
    "docs/report.md",
    "docs/studies.md",
    "docs/websocket.md",
)

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: What differs from machine to machine.
_TIMED = re.compile(r"simulated\s+in.*?set-up\s+\S+\s+\S+", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of a document."""

    document: str
    language: str
    text: str
    line: int


def blocks(document: str, language: str) -> list[Block]:
    """All blocks of one language."""
    text = (PROJECT / document).read_text()
    return [
        Block(document, language, match[2], text[: match.start()].count("\n") + 1)
        for match in _FENCE.finditer(text)
        if match[1] == language
    ]


def scenario_of(block: Block) -> str:
    """A YAML block as a scenario: one that is a part goes on with the first of its document."""
    if block.text.startswith("apisim:"):
        return block.text
    return blocks(block.document, "yaml")[0].text + block.text


def split(block: Block) -> tuple[str, str]:
    """Command and output of a console block."""
    first, _, rest = block.text.partition("\n")
    assert first.startswith("$ "), f"{block.document}:{block.line}: a console block starts with $"
    return first[2:], rest


def run(command: str) -> str:
    """Standard output of a command as a reader at 80 columns without colour sees it."""
    words = shlex.split(command)
    assert words[0] == "apisim"
    done = subprocess.run(
        [sys.executable, "-m", "apisim", *words[1:]],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"},
        check=False,
    )
    assert done.returncode in (0, 99), done.stderr
    return done.stdout


def timeless(output: str) -> str:
    """Output without what differs from machine to machine, and without trailing blanks."""
    lines = [line.rstrip() for line in _TIMED.sub("...", output).splitlines()]
    return "\n".join(lines).strip() + "\n"


def refresh(documents: Sequence[str]) -> None:
    """Write the outputs of all commands into documents."""
    for document in documents:
        path = PROJECT / document
        text = path.read_text()
        for block in blocks(document, "console"):
            command, _ = split(block)
            printed = run(command).rstrip() + "\n"
            fresh = "```console\n$ " + command + "\n" + printed + "```"
            text = text.replace("```console\n" + block.text + "```", fresh)
        path.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n")


if __name__ == "__main__":
    refresh(sys.argv[1:] or DOCUMENTS)
