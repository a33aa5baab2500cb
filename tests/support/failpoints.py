"""The named steps at which a process can be crashed (platform/failpoint.h), as the source has them."""

import re

from . import processes

_LAYERS = ("platform", "kafka", "ingest", "processor", "state_projector")
_CALL = re.compile(r'\bfailpoint\("([^"]+)"\)')


def steps():
    found = [name for layer in _LAYERS for path in sorted((processes.ROOT / layer).rglob("*.cc"))
             for name in _CALL.findall(path.read_text())]
    assert found and len(found) == len(set(found)), f"none, or one name twice: {found}"
    return set(found)
