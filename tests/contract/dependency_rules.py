#!/usr/bin/python3
"""The dependency rules of ARCHITECTURE.md, and the caps on file and function size, as a script.

Usage: dependency_rules.py [root]. Prints one line a violation; exit code 1 if there is any.
"""

import ast
import pathlib
import re
import sys

LAYERS = ("platform", "schemas", "kafka", "ingest", "processor", "state_projector",
          "auditor")
MAY_INCLUDE = {
    "platform": {"platform"},
    "schemas": {"platform", "schemas"},
    "kafka": {"platform", "kafka"},
    "ingest": {"platform", "schemas", "kafka", "ingest"},
    "processor": {"platform", "schemas", "kafka", "processor"},
    "state_projector": {"platform", "schemas", "kafka", "state_projector"},
    "auditor": {"platform", "schemas", "kafka", "auditor"},
}
# The read side of the view is published: its port to all of ingest, its adapter to the composition.
PUBLISHED_TO_INGEST = {"state_projector/view_reader.h"}
PUBLISHED_TO_INGEST_MAIN = {"state_projector/local_view_reader.h",
                            "state_projector/remote_view_reader.h"}

# Each heavy library lives behind one door. (what an include line begins with, folder or file prefix)
FENCES = (
    ("librdkafka/", "kafka/rd_"),
    ("pistache/", "platform/http/"),
    ("boost/beast", "platform/http/"),
    ("rocksdb/", "state_projector/rocks/"),
    ("Magick++", "processor/image/"),
    ("magick/", "processor/image/"),
    ("MagickCore/", "processor/image/"),
    ("jpeglib.h", "processor/image/jpeg/jpeg_head."),
    ("lcms2", "processor/image/"),
    ("seccomp.h", "processor/sandbox/"),
    ("simdjson", "schemas/plain_json."),
    ("spdlog/", "platform/log.cc"),
    ("openssl/", "platform/"),
    ("curl/", "platform/http_"),
)
# Concrete adapters are named by a main only (and by their own layer, and by tests).
CONCRETE = ("kafka/clients.h", "platform/fs_blob_store.h")

# These are pure; so is any header whose first comment says "Pure", with its .cc file.
MUST_BE_PURE = ("schemas/", "state_projector/fold.")
IMPURE_HEADERS = {
    "platform/log.h", "platform/metrics.h", "platform/settings.h", "platform/common_settings.h",
    "platform/file_io.h", "platform/blob_store.h", "platform/fs_blob_store.h",
    "platform/stop_signal.h", "platform/worker_pool.h",
    "fstream", "iostream", "filesystem", "thread", "future", "random", "unistd.h", "fcntl.h",
}
IMPURE_CALLS = re.compile(r"_clock::now\(|\bSystemClock\b|\bgetenv\(|\bconst Clock&|\bstd::this_thread\b")

FILE_LINES = 500
FUNCTION_LINES = 70

_INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
_FUNCTION = re.compile(r"^(\s*)(?!namespace\b|extern\b|class\b|struct\b|enum\b|union\b|\}|//|#)\S.*\{$|"
                       r"^(\s*)\{$")


class Checker:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.problems = []

    def say(self, path, line, text):
        where = path.relative_to(self.root)
        self.problems.append(f"{where}:{line}: {text}" if line else f"{where}: {text}")

    def run(self):
        for folder in (*LAYERS, "tests", "bench"):
            for path in sorted((self.root / folder).rglob("*")):
                if path.suffix in (".h", ".cc"):
                    self.check_cpp(path)
                elif path.suffix in (".py", ".sh"):
                    self.check_script(path)
                elif path.name == "CMakeLists.txt" and folder in LAYERS:
                    self.check_links(path, folder)
        for path in sorted((self.root / "deploy").glob("*.sh")):
            self.check_script(path)
        return self.problems

    # --- C++ ---

    def check_cpp(self, path):
        lines = path.read_text().splitlines()
        name = path.relative_to(self.root).as_posix()
        self.check_size(path, lines)
        self.check_functions(path, lines)
        # A .cc file beside its header is introduced there; a test by what it tests.
        introduced = path.suffix == ".cc" and (path.with_suffix(".h").is_file() or name.startswith("tests/"))
        if not introduced and not (lines and lines[0].startswith("//")):
            self.say(path, 1, "begins without a comment that says why the file exists")
        if path.suffix == ".h" and "#pragma once" not in lines:
            self.say(path, 1, "has no #pragma once")
        if name.startswith(("tests/", "bench/")):
            return
        pure = self.is_pure(path, name)
        for number, line in enumerate(lines, 1):
            found = _INCLUDE.match(line)
            if found:
                self.check_include(path, name, number, found.group(1), found.group(2), pure)
            elif pure and IMPURE_CALLS.search(line) and not line.lstrip().startswith("//"):
                self.say(path, number, f"a pure file takes no clock, environment or thread: {line.strip()}")

    def check_include(self, path, name, number, quote, target, pure):
        layer, other = name.split("/")[0], target.split("/")[0]
        if quote == '"':
            if not (self.root / target).is_file():
                self.say(path, number, f'"{target}" is no path from the repository\'s root')
            if other in LAYERS and other not in MAY_INCLUDE[layer] and not allowed_exception(name, target):
                self.say(path, number, f"{layer} must not include {other} ({target})")
        for prefix, home in FENCES:
            if target.startswith(prefix) and not name.startswith(home):
                self.say(path, number, f"<{prefix}...> belongs to {home}* alone")
        if target.startswith("nlohmann/") and target != "nlohmann/json_fwd.hpp" and path.suffix == ".h":
            self.say(path, number, "nlohmann/json stays in .cc files")
        if target in CONCRETE and other != layer and not path.name.endswith("main.cc"):
            self.say(path, number, f"only a main.cc names the concrete adapter {target}")
        if pure and (target in IMPURE_HEADERS or target.startswith("sys/")):
            self.say(path, number, f"a pure file must not include {target}")

    def is_pure(self, path, name):
        header = path.with_suffix(".h")
        source = header if header.is_file() else path
        comment = []
        for line in source.read_text().splitlines():
            if not line.startswith("//"):
                break
            comment.append(line)
        says_so = re.search(r"\bPure\b", " ".join(comment))
        return bool(says_so) or name.startswith(MUST_BE_PURE)

    # --- links ---

    def check_links(self, path, folder):
        homes = self.library_homes()
        text = re.sub(r"#[^\n]*", "", path.read_text())
        for call in re.finditer(r"(thumb_library|thumb_binary|target_link_libraries)\s*\(([^)]*)\)", text):
            for library in re.findall(r"\bthumb_\w+", call.group(2))[0 if call.group(1) == "thumb_binary" else 1:]:
                home = homes.get(library)
                exception = folder == "ingest" and library == "thumb_view"
                if home and home not in MAY_INCLUDE[folder] and not exception:
                    self.say(path, 0, f"{folder} must not link {library} (of {home})")

    def library_homes(self):
        homes = {}
        for layer in LAYERS:
            for path in (self.root / layer).rglob("CMakeLists.txt"):
                for library in re.findall(r"thumb_library\s*\(\s*(\w+)", path.read_text()):
                    homes[library] = layer
        return homes

    # --- sizes ---

    def check_size(self, path, lines):
        if len(lines) > FILE_LINES:
            self.say(path, 0, f"{len(lines)} lines; the cap is {FILE_LINES}")

    def check_functions(self, path, lines):
        """clang-format puts a function's closing brace at the column of its first line."""
        start, indent = None, ""
        for number, line in enumerate(lines, 1):
            if start is None:
                found = _FUNCTION.match(line)
                if found and len(found.group(1) or found.group(2) or "") <= 2 and not line.endswith("= {"):
                    start, indent = number, (found.group(1) or found.group(2) or "")
            elif line.startswith(indent + "}"):
                if number - start + 1 > FUNCTION_LINES:
                    self.say(path, start, f"a block of {number - start + 1} lines; the cap is {FUNCTION_LINES}")
                start = None

    def check_script(self, path):
        lines = path.read_text().splitlines()
        self.check_size(path, lines)
        if path.suffix != ".py":
            return
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > FUNCTION_LINES:
                self.say(path, node.lineno, f"{node.name} is longer than {FUNCTION_LINES} lines")


def allowed_exception(name, target):
    if not name.startswith("ingest/"):
        return False
    return target in PUBLISHED_TO_INGEST or (
        name == "ingest/main.cc" and target in PUBLISHED_TO_INGEST_MAIN)


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    problems = Checker(root).run()
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
