"""The written contract holds together: every example is judged rightly by its JSON Schema (with a
validator that is not ours), and AsyncAPI, schemas and topic declaration tell the same story."""

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = sorted((ROOT / "schemas").glob("*.schema.json"))
EXAMPLES = sorted((ROOT / "schemas" / "examples").glob("*/*.json"))
ASYNCAPI = yaml.safe_load((ROOT / "schemas" / "asyncapi.yaml").read_text())
DECLARED = json.loads((ROOT / "kafka" / "topics.json").read_text())
TOPICS = DECLARED["topics"]
TOPOLOGY = (ROOT / "schemas" / "topology.cc").read_text()


def name_of(schema):
    return schema.name.removesuffix(".schema.json")


@pytest.mark.parametrize("path", SCHEMAS, ids=name_of)
def test_schema_is_valid_and_named_after_its_file(path):
    schema = json.loads(path.read_text())
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:thumbstream:schema:{name_of(path)}:1"


@pytest.mark.parametrize("path", SCHEMAS, ids=name_of)
def test_every_event_has_examples_of_both_kinds(path):
    names = [e.name for e in EXAMPLES if e.parent.name == name_of(path)]
    assert any(n.startswith("valid-") for n in names)
    assert any(n.startswith("invalid-") for n in names)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_example_is_judged_rightly(path):
    schema = json.loads((ROOT / "schemas" / f"{path.parent.name}.schema.json").read_text())
    valid = Draft202012Validator(schema).is_valid(json.loads(path.read_text()))
    assert valid == path.name.startswith("valid-")


def test_asyncapi_declares_the_topics_that_are_provisioned():
    channels = {c["address"]: c for c in ASYNCAPI["channels"].values()}
    assert channels.keys() == TOPICS.keys()
    for name, channel in channels.items():
        kafka = channel["bindings"]["kafka"]
        config = TOPICS[name]["config"]
        assert kafka["topic"] == name
        assert kafka["partitions"] == DECLARED["partitions"]
        declared = kafka["topicConfiguration"]
        assert ",".join(declared["cleanup.policy"]) == config["cleanup.policy"]
        if "retention.ms" in declared:
            assert str(declared["retention.ms"]) == str(config["retention.ms"])


def test_asyncapi_points_at_existing_parts():
    def walk(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "$ref":
                    yield value
                else:
                    yield from walk(value)
        elif isinstance(node, list):
            for value in node:
                yield from walk(value)

    for ref in walk(ASYNCAPI):
        if ref.startswith("#/"):
            node = ASYNCAPI
            for part in ref[2:].split("/"):
                assert part in node, ref
                node = node[part]
        else:
            assert (ROOT / "schemas" / ref).is_file(), ref


def test_topology_names_the_same_topics_and_events():
    in_code = set(re.findall(r'\{Topic::k\w+,\s*"([a-z-]+)"', TOPOLOGY))
    assert in_code == TOPICS.keys()
    events = set(re.findall(r'"([a-z-]+)"', TOPOLOGY.split("constexpr Service")[0]))
    assert {name_of(s) for s in SCHEMAS} == events - {"image-private-erased"}
    on_channels = {m for c in ASYNCAPI["channels"].values() for m in c["messages"]}
    assert on_channels == events | {"dead-letter"}


def test_event_topics_share_one_partition_count():
    """Declared once for all; a topic can't have one of its own."""
    assert DECLARED["partitions"] >= 1
    assert not [name for name, topic in TOPICS.items() if "partitions" in topic]


def test_the_log_is_kept_for_ever_and_stamped_by_the_broker():
    for name in ("image-requests", "thumbnail-completed", "thumbnail-failed"):
        config = TOPICS[name]["config"]
        assert str(config["retention.ms"]) == "-1" and config["cleanup.policy"] == "delete", name
    for name, topic in TOPICS.items():
        assert topic["config"]["message.timestamp.type"] == "LogAppendTime", name
