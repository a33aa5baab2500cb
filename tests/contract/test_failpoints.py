"""Failpoints end a process when a test asks for it: they are in the builds for tests, and nothing of
them is in any other.

The binaries of this build are looked through (folder THUMB_BIN_DIR); its own cache says which they
must be.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from support import failpoints  # noqa: E402

TEST_PRESETS = {"asan", "tsan"}
SERVICES = ("ingest", "processor", "state_projector")


def bin_folder():
    folder = os.environ.get("THUMB_BIN_DIR")
    assert folder, "THUMB_BIN_DIR is not set: run this through ctest"
    return pathlib.Path(folder)


def test_only_the_presets_for_tests_have_them():
    presets = json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]
    on = {preset["name"] for preset in presets
          if preset["cacheVariables"].get("THUMB_FAILPOINTS") == "ON"}
    assert on == TEST_PRESETS
    assert re.search(r"option\(THUMB_FAILPOINTS .* OFF\)", (ROOT / "cmake/Failpoints.cmake").read_text())


@pytest.mark.parametrize("service", SERVICES)
def test_the_binaries_are_what_their_build_says(service):
    cache = (bin_folder().parent / "CMakeCache.txt").read_text()
    wanted = re.search(r"^THUMB_FAILPOINTS:BOOL=(\w+)$", cache, re.M).group(1) == "ON"
    binary = (bin_folder() / service).read_bytes()
    assert (b"THUMB_FAILPOINT" in binary) == wanted
    assert any(name.encode() in binary for name in failpoints.steps()) == wanted


@pytest.mark.parametrize("service", SERVICES)
def test_no_setting_is_made_of_it(service):
    shown = subprocess.run([bin_folder() / service, "--help"], capture_output=True, text=True,
                           check=True, timeout=60).stdout
    assert "FAILPOINT" not in shown.upper()


@pytest.mark.parametrize("define, left", [((), False), (("-DTHUMB_FAILPOINTS",), True)])
def test_without_the_option_the_compiler_leaves_nothing(tmp_path, define, left):
    """At the release preset's level: neither the call nor the name of the step."""
    source, made = tmp_path / "step.cc", tmp_path / "step.o"
    source.write_text('#include "platform/failpoint.h"\n'
                      'int step() { thumb::failpoint("step.of-a-test"); return 1; }\n')
    subprocess.run(["c++", "-std=c++20", "-O2", *define, f"-I{ROOT}", "-c", source, "-o", made],
                   check=True, timeout=120)
    for trace in (b"step.of-a-test", b"failpoint"):
        assert (trace in made.read_bytes()) == left
