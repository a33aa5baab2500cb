"""docker-compose.yml, Dockerfile, defaults, package list, broker settings and the binaries agree.

No container engine is needed: the files are held against each other and against the binaries' --help
(folder THUMB_BIN_DIR).
"""

import json
import os
import pathlib
import re
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICES = ("ingest", "processor", "state_projector")
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
DATA_DIR = "/var/lib/thumbstream"


def binary(name):
    folder = os.environ.get("THUMB_BIN_DIR")
    assert folder, "THUMB_BIN_DIR is not set: run this through ctest"
    return pathlib.Path(folder) / name


def help_of(name):
    return subprocess.run([binary(name), "--help"], capture_output=True, text=True, check=True,
                          timeout=60).stdout


def settings_of(name):
    return set(re.findall(r"THUMB_[A-Z0-9_]+", help_of(name)))


def defaults():
    lines = (ROOT / "deploy/defaults.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def packages(section):
    found, on = set(), False
    for line in (ROOT / "deploy/apt-packages.txt").read_text().splitlines():
        if line.startswith("## "):
            on = line == f"## {section}"
        elif on and line and not line.startswith("#"):
            found.add(line)
    assert found, f"no section {section}"
    return found


def pom_version():
    return re.search(r"<kafka.version>(.*?)</kafka.version>",
                     (ROOT / "kafka/broker/pom.xml").read_text()).group(1)


def server_properties():
    """Of a single node."""
    text = (ROOT / "kafka/broker/server.properties").read_text()
    lines = re.sub("@(NODE|REPLICAS|MIN_ISR)@", "1", text).splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


# --- docker-compose.yml ---

def test_every_part_is_there():
    assert set(COMPOSE["services"]) == {"kafka", "topics", *SERVICES}


@pytest.mark.parametrize("service", ("topics", *SERVICES))
def test_settings_are_known_to_the_binaries(service):
    given = COMPOSE["services"][service]["environment"]
    unknown = set(given) - settings_of(service)
    assert not unknown, f"{service} knows no {unknown}"
    assert COMPOSE["services"][service]["command"][0] == service
    assert given["THUMB_DATA_DIR"] == DATA_DIR
    assert given["THUMB_KAFKA_BOOTSTRAP"] == "kafka:9092"


@pytest.mark.parametrize("service", ("topics", *SERVICES))
def test_parts_run_with_few_rights(service):
    part = COMPOSE["services"][service]
    assert part["user"].split(":")[0] == "10001"
    assert part["read_only"] is True and part["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in part["security_opt"]


def test_all_services_share_blobs_and_view():
    for service in SERVICES:
        assert COMPOSE["services"][service]["volumes"] == [f"state:{DATA_DIR}"]
    for volume in ("state", "kafka"):
        assert volume in COMPOSE["volumes"]
    assert COMPOSE["services"]["kafka"]["volumes"] == ["kafka:/var/lib/kafka/data"]
    assert COMPOSE["services"]["kafka"]["environment"]["KAFKA_LOG_DIRS"] == "/var/lib/kafka/data"


def test_only_loopback_is_published():
    published = {name: part["ports"] for name, part in COMPOSE["services"].items() if "ports" in part}
    assert set(published) == {"kafka", "ingest"}
    for ports in published.values():
        assert all(port.startswith("127.0.0.1:") for port in ports), ports
    ingest = COMPOSE["services"]["ingest"]
    inside = published["ingest"][0].rsplit(":", 1)[1]
    assert inside == str(ingest["environment"]["THUMB_HTTP_PORT"])
    assert ingest["environment"]["THUMB_HTTP_HOST"] == "0.0.0.0"
    assert ingest["environment"]["THUMB_ALLOW_PUBLIC"] == "true"


def test_host_ports_have_the_defaults_of_make():
    text = (ROOT / "docker-compose.yml").read_text()
    found = set(re.findall(r"\$\{(THUMB_\w+_PORT):-(\d+)\}", text))
    assert found == {(name, defaults()[name]) for name in ("THUMB_HTTP_PORT", "THUMB_KAFKA_PORT")}


def test_order_of_start():
    topics = COMPOSE["services"]["topics"]
    assert topics["command"] == ["topics", "ensure"] and topics["restart"] == "no"
    assert topics["depends_on"]["kafka"]["condition"] == "service_healthy"
    for service in SERVICES:
        needs = COMPOSE["services"][service]["depends_on"]["topics"]
        assert needs["condition"] == "service_completed_successfully"


def test_health_checks():
    for service in ("kafka", *SERVICES):
        assert COMPOSE["services"][service]["healthcheck"]["test"][0] == "CMD"
    for service in SERVICES:
        part = COMPOSE["services"][service]
        script, port = part["healthcheck"]["test"][1:]
        listening = part["environment"].get("THUMB_ADMIN_PORT") or part["environment"]["THUMB_HTTP_PORT"]
        assert script == "healthcheck.sh" and port == str(listening)
    assert (ROOT / "deploy/healthcheck.sh").stat().st_mode & 0o111


# --- Kafka ---

def test_kafka_is_the_same_everywhere():
    assert COMPOSE["services"]["kafka"]["image"] == f"apache/kafka:{pom_version()}"


def test_kafka_has_the_settings_of_the_local_broker():
    """All but addresses and folders, which differ by nature."""
    own = {"listeners", "advertised.listeners", "listener.security.protocol.map",
           "controller.quorum.voters", "log.dirs"}
    given = COMPOSE["services"]["kafka"]["environment"]
    for name, value in server_properties().items():
        variable = "KAFKA_" + name.replace(".", "_").upper()
        assert variable in given, f"{name} is missing"
        if name not in own:
            assert str(given[variable]) == value, name
    surplus = {variable for variable in given if variable.startswith("KAFKA_")} - {
        "KAFKA_" + name.replace(".", "_").upper() for name in server_properties()}
    assert surplus == {"KAFKA_HEAP_OPTS"}
    heap = given["KAFKA_HEAP_OPTS"]
    assert heap in (ROOT / "kafka/broker/broker.sh").read_text()


def test_topics_are_those_of_the_topic_file():
    """The file is built into the binary that the compose file runs."""
    declared = json.loads((ROOT / "kafka/topics.json").read_text())
    listed = subprocess.run([binary("topics"), "list"], capture_output=True, text=True, check=True,
                            timeout=60).stdout
    found = dict(re.findall(r"^(\S+): (\d+) partitions", listed, re.M))
    assert found == {name: str(declared["partitions"]) for name in declared["topics"]}
    assert declared["replication_factor"] == 1  # as the one broker of both stacks can give


# --- Dockerfile ---

def test_stages():
    images = re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)
    assert images == ["debian:12", "debian:12-slim"], "binaries run where their libraries are from"
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (\S+)", last, re.M) == ["10001:10001"]
    assert last.index("USER 10001") > last.rindex("\nRUN ")
    assert f"ENV THUMB_DATA_DIR={DATA_DIR}" in last
    for name in ("topics", *SERVICES):
        assert re.search(rf"build\.sh release .*\b{name}\b", DOCKERFILE)


def test_packages_come_from_the_one_list():
    assert "install.sh build " in DOCKERFILE and "install.sh image " in DOCKERFILE
    assert "apt-get" not in DOCKERFILE + (ROOT / "Makefile").read_text()
    assert packages("build") and packages("run") and packages("test")


def test_what_is_copied_exists_and_is_not_ignored():
    ignored = (ROOT / ".dockerignore").read_text().split()
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert source.split("/")[0] not in ignored
    assert {"build", ".git", ".run*"} <= set(ignored)


def needed_packages(name):
    """Debian packages of the libraries that a binary names itself."""
    dynamic = subprocess.run(["readelf", "-d", binary(name)], capture_output=True, text=True,
                             check=True).stdout
    resolved = dict(re.findall(r"(\S+) => (\S+)", subprocess.run(
        ["ldd", binary(name)], capture_output=True, text=True, check=True).stdout))
    return {owner(pathlib.Path(resolved[soname]))
            for soname in re.findall(r"NEEDED.*\[(.+?)\]", dynamic) if soname in resolved}


def owner(path):
    """Debian registers files under /lib or /usr/lib, whichever the package shipped."""
    for candidate in (path, pathlib.Path("/usr") / path.relative_to("/"), path.resolve()):
        found = subprocess.run(["dpkg-query", "-S", candidate], capture_output=True, text=True,
                               check=False).stdout
        if found:
            return found.split(":")[0]
    raise AssertionError(f"no package owns {path}")


@pytest.mark.parametrize("name", ("topics", *SERVICES))
def test_the_image_has_the_libraries(name):
    # Part of every Debian, or of a sanitized build only.
    base = {"libc6", "libgcc-s1", "libstdc++6", "libasan8", "libubsan1", "libtsan2"}
    missing = needed_packages(name) - packages("image") - base
    assert not missing, f"deploy/apt-packages.txt, section image, lacks {missing}"


# --- make ---

def test_defaults_of_make_are_those_of_the_binaries():
    text = help_of("ingest")
    for name in ("THUMB_HTTP_PORT", "THUMB_KAFKA_PORT", "THUMB_DATA_DIR"):
        entry = next(line for line in re.split(r"\n  (?=-)", text) if name in line)
        assert f"[{defaults()[name]}]" in entry or f"={defaults()[name]}" in entry, entry


def test_scripts_are_executable():
    for path in [*ROOT.glob("kafka/broker/*.sh"), *ROOT.glob("deploy/*.sh"), ROOT / ".ci/run"]:
        sourced = path.name in ("common.sh", "parts.sh")
        assert bool(path.stat().st_mode & 0o111) != sourced, path
