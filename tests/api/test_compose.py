"""docker-compose.yml and the Dockerfile say the same as the programs do: variables, ports, binaries, versions."""
import os
import pathlib
import re
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("ANNOTATE_BIN", ROOT / "build/asan/bin"))
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROGRAMS = ("server", "stream", "upkeep", "export", "prelabel")
# Settings that must be given: their defaults are for a machine of one's own.
NEEDED = {
    "server": {"listen", "blobs", "token_key_file"},
    "stream": {"sink", "blobs"},
    "upkeep": {"blobs"},
    "export": {"blobs"},
    "prelabel": {"server", "token_file", "ort_lib", "models"},
}


def stages():
    """The Dockerfile's stages: name → text."""
    parts = re.split(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, flags=re.M)
    return {parts[i + 1]: parts[i + 2] for i in range(1, len(parts), 3)}


def table(program):
    """--config-table: name → (type, default)."""
    out = subprocess.run([BIN / f"annotate-{program}", "--config-table"], capture_output=True, text=True, check=True).stdout
    return {name: (kind, default) for name, kind, default in (line.split("\t") for line in out.splitlines())}


def variables(program):
    """ANNOTATE_* of the image and of the service, as settings."""
    image = dict(re.findall(r"(ANNOTATE_\w+)=(\S+)", stages()[program]))
    given = image | {k: str(v) for k, v in SERVICES[program].get("environment", {}).items()}
    return {k.removeprefix("ANNOTATE_").lower(): v for k, v in given.items()}


def mounts(service):
    return {v.split(":")[1]: v.split(":")[0] for v in SERVICES[service].get("volumes", [])}


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_image_holds_the_program(program):
    stage = stages()[program]
    assert SERVICES[program]["build"] == {"context": ".", "target": program}
    assert f"COPY --from=build /build/bin/annotate-{program} /usr/local/bin/" in stage
    assert f'ENTRYPOINT ["annotate-{program}"]' in stage
    assert re.search(rf"ninja .*\bannotate-{program}\b", DOCKERFILE)


@pytest.mark.parametrize("program", PROGRAMS)
def test_variables_are_settings(program):
    settings = table(program)
    given = variables(program)
    assert set(given) <= set(settings), "a variable that the program does not read"
    assert NEEDED[program] <= set(given)
    for name, value in given.items():
        assert settings[name][0] == "str" or re.fullmatch(r"-?\d+", value), name


def test_every_program_of_the_tree_is_a_service():
    ours = {p.parent.name for p in ROOT.glob("workers/*/main.c")} | {"server"}
    assert ours == set(PROGRAMS)
    assert ours | {"setup"} == {name for name, s in SERVICES.items() if "build" in s}
    assert {s["build"]["target"] for s in SERVICES.values() if "build" in s} <= set(stages())


def test_ports():
    port = variables("server")["listen"].split(":")[1]
    assert SERVICES["server"]["ports"] == [f"127.0.0.1:{port}:{port}"], "on the loopback: TLS ends before us"
    assert f"EXPOSE {port}" in stages()["server"]
    assert f"/dev/tcp/127.0.0.1/{port}" in SERVICES["server"]["healthcheck"]["test"][1]
    assert variables("prelabel")["server"] == f"http://server:{port}"
    assert table("server")["listen"][1].split(":")[1] == port
    broker = variables("stream")["sink"].removeprefix("kafka:")
    assert SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{broker}"
    assert f"PLAINTEXT://:{broker.split(':')[1]}," in SERVICES["kafka"]["environment"]["KAFKA_LISTENERS"]
    for name in set(SERVICES) - {"server"}:
        assert "ports" not in SERVICES[name], f"{name} is reached from inside alone"


def test_the_database_is_the_default_of_the_settings():
    """By the socket: so no service carries a password or a connection string."""
    assert "listen_addresses= " in SERVICES["postgres"]["command"]
    for program, name in (("server", "db"), ("stream", "db_worker"), ("upkeep", "db_worker"), ("export", "db_worker")):
        where = dict(word.split("=") for word in table(program)[name][1].split())
        assert mounts(program)[where["host"]] == mounts("postgres")[where["host"]] == "socket"
        assert where["dbname"] == SERVICES["postgres"]["environment"]["POSTGRES_DB"]
        assert f"CREATE ROLE {where['user']} LOGIN" in (ROOT / "deploy/roles.sql").read_text()
    assert "socket" not in mounts("prelabel").values(), "the pre-label worker sees the API alone"


def test_files_lie_on_volumes():
    for program in PROGRAMS:
        for name, value in variables(program).items():
            path = value.removeprefix("fs:")
            if path.startswith("/var/lib/annotate/"):
                assert any(path.startswith(m) for m in mounts(program)), f"{program}: {name} would be lost"
    for volume in {v for s in SERVICES for v in mounts(s).values() if not v.startswith(".")}:
        assert volume in COMPOSE["volumes"]


def test_versions_are_those_of_run():
    pom = (ROOT / "deploy/kafka/pom.xml").read_text()
    assert SERVICES["kafka"]["image"] == "apache/kafka:" + re.search(r"<kafka.version>(.*)</", pom)[1]
    database = (ROOT / "deploy/run/database.sh").read_text()
    assert SERVICES["postgres"]["image"] == "postgres:" + re.search(r"/usr/lib/postgresql/(\d+)/bin", database)[1]
    assert SERVICES["s3"]["image"].startswith("versity/versitygw:")


def test_hardened():
    for program in PROGRAMS:
        s = SERVICES[program]
        assert s["read_only"] and s["cap_drop"] == ["ALL"] and s["security_opt"] == ["no-new-privileges:true"]
    assert re.findall(r"^USER (.*)$", stages()["base"], re.M) == ["annotate"]
    for name in (*PROGRAMS, "setup"):
        assert re.search(rf"^FROM base AS {name}$", DOCKERFILE, re.M) and "USER root" not in stages()[name]


def test_no_secret_is_written_down():
    for name, s in SERVICES.items():
        for key, value in (s.get("environment") or {}).items():
            if re.search(r"PASSWORD|SECRET|ACCESS_KEY|TOKEN$", key):
                assert re.fullmatch(r"\$\{\w+:-\}", str(value)), f"{name}: {key}"
