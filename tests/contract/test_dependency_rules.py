"""The repository keeps its dependency rules; and the checker is able to find each kind of breach."""

import pathlib

import pytest

from dependency_rules import FILE_LINES, FUNCTION_LINES, Checker

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEAD = "// Why this file exists.\n"


def test_the_repository_keeps_the_rules():
    problems = Checker(ROOT).run()
    assert not problems, "\n" + "\n".join(problems)


def check(tmp_path, name, text, others=()):
    """The problems of a repository that holds this file (and empty others)."""
    for other in others:
        (tmp_path / other).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / other).write_text(HEAD + "#pragma once\n")
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return "\n".join(Checker(tmp_path).run())


def test_a_good_file_is_silent(tmp_path):
    text = HEAD + '#include "schemas/ids.h"\n#include <librdkafka/rdkafka.h>\n'
    assert check(tmp_path, "kafka/rd_good.cc", HEAD + "#include <librdkafka/rdkafka.h>\n") == ""
    assert check(tmp_path, "processor/good.cc", text.replace("librdkafka/rdkafka.h", "vector"),
                 ["schemas/ids.h"]) == ""


@pytest.mark.parametrize("name, include, complaint", [
    ("platform/a.cc", '"schemas/ids.h"', "platform must not include schemas"),
    ("schemas/a.cc", '"kafka/types.h"', "schemas must not include kafka"),
    ("kafka/a.cc", '"schemas/ids.h"', "kafka must not include schemas"),
    ("ingest/a.cc", '"processor/ports.h"', "ingest must not include processor"),
    ("processor/a.cc", '"state_projector/view_reader.h"', "processor must not include state_projector"),
    ("ingest/a.cc", '"state_projector/fold.h"', "ingest must not include state_projector"),
    ("auditor/a.cc", '"processor/work.h"', "auditor must not include processor"),
    ("auditor/a.cc", '"state_projector/fold.h"', "auditor must not include state_projector"),
    ("ingest/a.cc", '"kafka/clients.h"', "only a main.cc names the concrete adapter"),
    ("kafka/a.cc", "<librdkafka/rdkafka.h>", "belongs to kafka/rd_"),
    ("processor/a.cc", "<librdkafka/rdkafka.h>", "belongs to kafka/rd_"),
    ("platform/a.cc", "<pistache/http.h>", "belongs to platform/http/"),
    ("ingest/a.cc", "<rocksdb/db.h>", "belongs to state_projector/rocks/"),
    ("processor/a.cc", "<Magick++.h>", "belongs to processor/image/"),
    ("ingest/a.h", "<nlohmann/json.hpp>", "nlohmann/json stays in .cc files"),
    ("schemas/a.cc", '"platform/log.h"', "a pure file must not include platform/log.h"),
    ("schemas/a.cc", "<fstream>", "a pure file must not include fstream"),
    ("state_projector/fold.cc", '"platform/metrics.h"', "a pure file must not include platform/metrics.h"),
    ("ingest/a.cc", '"a_sibling.h"', "is no path from the repository's root"),
])
def test_a_bad_include_is_found(tmp_path, name, include, complaint):
    targets = [include.strip('"')] if include.startswith('"') and "/" in include else []
    assert complaint in check(tmp_path, name, f"{HEAD}#pragma once\n#include {include}\n", targets)


def test_the_published_header_may_be_included(tmp_path):
    header = "state_projector/view_reader.h"
    assert check(tmp_path, "ingest/a.cc", f'{HEAD}#include "{header}"\n', [header]) == ""


@pytest.mark.parametrize("code", ["auto t = std::chrono::system_clock::now();", "getenv(\"HOME\");"])
def test_a_pure_file_that_looks_around_is_found(tmp_path, code):
    header = "// Thinks, and nothing else. Pure.\n#pragma once\n"
    (tmp_path / "ingest").mkdir()
    (tmp_path / "ingest/think.h").write_text(header)
    assert "a pure file takes no clock" in check(tmp_path, "ingest/think.cc", HEAD + code + "\n")


def test_a_bad_link_is_found(tmp_path):
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka/CMakeLists.txt").write_text("thumb_library(thumb_kafka SOURCES a.cc DEPS thumb_platform)")
    bad = "thumb_library(thumb_schemas SOURCES a.cc DEPS thumb_kafka)"
    assert "schemas must not link thumb_kafka" in check(tmp_path, "schemas/CMakeLists.txt", bad)


def function(lines):
    return HEAD + "int f() {\n" + "  step();\n" * (lines - 2) + "}\n"


def test_sizes(tmp_path):
    assert check(tmp_path, "ingest/a.cc", function(FUNCTION_LINES)) == ""
    assert "the cap is 70" in check(tmp_path, "ingest/a.cc", function(FUNCTION_LINES + 1))
    assert check(tmp_path, "ingest/a.cc", HEAD + "\n" * (FILE_LINES - 1)) == ""
    assert "the cap is 500" in check(tmp_path, "ingest/a.cc", HEAD + "\n" * FILE_LINES)
    namespace = HEAD + "namespace thumb {\n" + "int x = 0;\n" * 100 + "}  // namespace thumb\n"
    assert check(tmp_path, "ingest/a.cc", namespace) == ""


def test_a_file_without_a_reason_is_found(tmp_path):
    assert "why the file exists" in check(tmp_path, "ingest/a.h", "#pragma once\n")
