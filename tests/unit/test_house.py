"""The rules of the house that a tool can check: floors, sizes, imports, what files may say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

MAX_LINES = 400
HEAVY = (
    "numba",
    "pandas",
    "pandas.plotting",
    "scipy",
    "matplotlib",
    "jinja2",
    "pyarrow",
    "IPython",
)
#: Of these not even a run that prints its summary needs any.
FOR_PICTURES = ("pandas", "pandas.plotting", "matplotlib", "jinja2", "IPython")

#: Paths of one machine, and hosts that packages come from: neither belongs into a project.
FOREIGN = {
    "absolute path": re.compile(
        r"""(?<![\w.}~/:*-])/(?:home|root|work|opt|tmp|mnt|Users|private|var/(?:tmp|folders))/"""
        r"""|\b[A-Z]:\\{1,2}\w|file:///"""
    ),
    "package host": re.compile(
        r"(?:pypi\.org|pythonhosted\.org|anaconda\.org|npmjs\.org|crates\.io|--(?:extra-)?index-url)"
    ),
}
NOT_TEXT = {".png", ".gz", ".parquet", ".ico", ".pyc"}


def tracked(project: Path) -> list[Path]:
    """Files of the project that are, or could be, committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=project, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: no telling which files belong to the project")
    files = [project / name for name in listed.stdout.decode().split("\0") if name]
    return [file for file in files if file.is_file()]


def python(code: str) -> str:
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def test_imports_only_go_down_the_house(project: Path) -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    ran = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_no_file_is_longer_than_a_reader_s_patience(project: Path) -> None:
    sizes = {
        file.relative_to(project).as_posix(): len(file.read_text(encoding="utf-8").splitlines())
        for file in (project / "apisim").rglob("*.py")
    }
    assert sizes
    assert {name: lines for name, lines in sizes.items() if lines > MAX_LINES} == {}


def test_the_package_says_that_it_is_typed(project: Path) -> None:
    assert (project / "apisim" / "py.typed").is_file()


def test_no_file_names_a_machine_or_a_package_host(project: Path) -> None:
    said = []
    for file in tracked(project):
        if file.suffix in NOT_TEXT or file == Path(__file__).resolve():
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            said += [
                f"{file.relative_to(project)}:{number}: {what}: {line.strip()[:80]}"
                for what, pattern in FOREIGN.items()
                if not line.startswith("#!") and pattern.search(line)
            ]
    assert said == []


@pytest.mark.parametrize(
    ("line", "foreign"),
    [
        ("cd /home/me/apisim", True),
        ("see file:///x", True),
        (r'path = "C:\Users\me"', True),
        ("pip install --index-url https://x/simple apisim", True),
        ("GET /users/{id} and /work and https://example.com/work/x", False),
        ("scenarios/tmp/x.yaml, ../tmp/x, ~/work/x", False),
    ],
)
def test_the_search_for_foreign_words_finds_them(line: str, foreign: bool) -> None:
    assert any(pattern.search(line) for pattern in FOREIGN.values()) is foreign


def test_importing_apisim_is_cheap() -> None:
    loaded = python(f"import sys, apisim; print(*(m for m in {HEAVY!r} if m in sys.modules))")
    assert loaded == ""


def test_a_run_that_prints_its_summary_draws_no_pictures() -> None:
    code = """
import sys, apisim
for name in apisim.__all__:
    getattr(apisim, name)
result = apisim.run("scenarios/chapter/burst-spike.yaml", duration="10ms", engine="simpy")
assert result.summary()
print(*(m for m in {modules!r} if m in sys.modules))
"""
    assert python(code.format(modules=FOR_PICTURES)) == ""


def test_reading_a_trace_needs_no_compiler() -> None:
    code = "import sys, apisim.traffic.trace, apisim.gateway.routing; print('numba' in sys.modules)"
    assert python(code) == "False"
